"""The faults of undos: claimed, half run, stuck, late, hindered; and missions without a plan."""

from collections.abc import Callable
from typing import Any

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import provide
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.faults.undo_rows import (
    AT_APPROVE,
    EMPTY_PLAN,
    NO_REVERSE,
    UNPLAN,
    Asked,
    Run,
    as_before,
    ask,
    changed,
    forget_records,
    keep_rows,
    restore_rows,
    runs_over,
    set_records,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_LATE = "The undo window of 900 s is over."
_CONFLICT = "Record was changed by someone else."
_SEE = "grant select on undo_events, mission_undo_plans to runbook_reader"
_NOT_SEE = "revoke select on undo_events, mission_undo_plans from runbook_reader"
# What a run sent cannot be called back.
_SENT = {
    "order": 9,
    "toolkit": "gmail",
    "action": "GMAIL_SEND_EMAIL",
    "arguments": {"id": "mail-1"},
    "irreversible": True,
}
Made = Callable[[LabState, Connection, list[Run]], None]


def _made(do: Made, *, count: int = 2, toolkit: str = "") -> Callable[[LabState], None]:
    """Return an injection that does something to so many finished runs."""

    def inject(lab: LabState) -> None:
        with superuser(lab) as connection:
            keep_rows(connection)
            do(lab, connection, runs_over(connection, count=count, toolkit=toolkit))

    return inject


def _asked(asked: Asked, *, steps_back: int = 0, more: tuple[Any, ...] = ()) -> Made:
    """Return what has the undo of each run asked for, and its last steps really taken back."""

    def do(lab: LabState, connection: Connection, runs: list[Run]) -> None:
        set_records(lab, [each for run in runs for each in as_before(run, last=steps_back)])
        for run in runs:
            ask(connection, run, asked, steps=[*run.steps, *more] if more else None)

    return do


def _claimed(*, back: int = 0, ago_s: float = 420.0) -> Made:
    return _asked(Asked(end="executed", plan="executed", ago_s=ago_s), steps_back=back)


def _claimed_unseen(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    _claimed()(lab, connection, runs)
    connection.execute(_NOT_SEE)


def _done_unwritten(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    set_records(lab, [each for run in runs for each in as_before(run, last=len(run.steps))])
    for run in runs:
        ask(connection, run, Asked(end=None, ago_s=600))


def _conflict(**given: Any) -> Made:
    """Return what has the first record of each run changed by somebody before its undo."""

    def do(lab: LabState, connection: Connection, runs: list[Run]) -> None:
        set_records(lab, [changed(run, **given) for run in runs])
        _asked(Asked(end="failed", notes=_CONFLICT, reversed=1), steps_back=1)(
            lab, connection, runs
        )

    return do


def _touched(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    set_records(
        lab, [changed(run, properties=run.steps[0]["arguments"]["properties"]) for run in runs]
    )
    _asked(Asked(end="failed", notes=_CONFLICT))(lab, connection, runs)


def _half_beside_conflict(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    _asked(Asked(end="failed", reversed=1), steps_back=1)(lab, connection, runs[:2])
    _conflict(properties={"owner": "somebody", "body": "x", "status": "hold"})(
        lab, connection, runs[2:]
    )


def _half_held_back(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    _asked(Asked(end="failed", reversed=1), steps_back=1)(lab, connection, runs)
    toolkits = {step["toolkit"] for run in runs for step in run.steps}
    provide(lab, throttles=[{"toolkit": toolkit} for toolkit in sorted(toolkits)])


def _unplanned(_lab: LabState, connection: Connection, runs: list[Run]) -> None:
    for run in runs:
        ask(connection, run, _ONE_WAY, steps=[])


def _cut_off(lab: LabState, connection: Connection, runs: list[Run]) -> None:
    _asked(Asked(end="failed", notes="AUTH_EXPIRED"))(lab, connection, runs)
    for tenant, toolkit in {(run.tenant, run.steps[0]["toolkit"]) for run in runs}:
        provide(lab, user_id=tenant, toolkit=toolkit, expire=True)


def _without_plan(statement: str, *, stage: str = "Approve", count: int = 2) -> Made:
    def do(_lab: LabState, connection: Connection, _runs: list[Run]) -> None:
        found = connection.execute(AT_APPROVE, {"stage": stage, "count": count}).fetchall()
        connection.execute(statement.encode(), {"plays": [play for (play,) in found]})

    return do


def heal(lab: LabState) -> None:
    """Put rows and records back as they were."""
    restore_rows(lab)
    with superuser(lab) as connection:
        connection.execute(_SEE)
    forget_records(lab)


_HALF = Asked(end="failed", notes="UPSTREAM_TIMEOUT", reversed=1)
_TOO_LATE = Asked(end="failed", notes=_LATE, late=True)
_STUCK = Asked(end=None, ago_s=600)
_ONE_WAY = Asked(end="failed", notes="A sent mail cannot be called back.")

FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("undo_claimed", "Undos say done, and nothing was taken back", _made(_claimed())),
        ("undo_claimed.one", "One of many undos was not done", _made(_claimed(), count=1)),
        ("undo_claimed.half", "Undos say done, and half was taken back", _made(_claimed(back=1))),
        ("undo_claimed.young", "Undos said done a moment ago", _made(_claimed(ago_s=20))),
        ("undo_claimed.unseen", "The reader lost its grants", _made(_claimed_unseen)),
        ("undo_half_ran", "Undos failed halfway", _made(_asked(_HALF, steps_back=1))),
        ("undo_half_ran.nothing", "Undos failed at the first step", _made(_asked(_HALF))),
        (
            "undo_half_ran.old",
            "Undos failed halfway four days ago",
            _made(_asked(Asked(end="failed", ago_s=4 * 86400, reversed=1), steps_back=1)),
        ),
        ("undo_half_ran.held_back", "The tools hold us back", _made(_half_held_back)),
        (
            "undo_half_ran.conflict",
            "Another undo meets a changed record",
            _made(_half_beside_conflict, count=4),
        ),
        ("undo_stuck", "Undos were asked for and never end", _made(_asked(_STUCK))),
        ("undo_stuck.one", "One undo never ends", _made(_asked(_STUCK), count=1)),
        (
            "undo_stuck.half",
            "Undos stopped halfway without an end",
            _made(_asked(_STUCK, steps_back=1)),
        ),
        ("undo_stuck.done", "Undos were done and never written", _made(_done_unwritten)),
        ("undo_too_late", "Undos were asked for too late", _made(_asked(_TOO_LATE))),
        ("undo_too_late.one", "One undo came too late", _made(_asked(_TOO_LATE), count=1)),
        (
            "undo_too_late.unended",
            "Late undos were never answered",
            _made(_asked(Asked(end=None, ago_s=600, late=True))),
        ),
        (
            "undo_too_late.days",
            "Undos came days too late",
            _made(_asked(Asked(end="failed", notes=_LATE, late=True, ago_s=3600))),
        ),
        (
            "undo_conflict",
            "Records were changed since the run",
            _made(_conflict(properties={"lifecyclestage": "evangelist"}), toolkit="hubspot"),
        ),
        (
            "undo_conflict.gone",
            "Records were deleted",
            _made(_conflict(gone=True), toolkit="hubspot"),
        ),
        ("undo_conflict.touched", "Records were set to the same again", _made(_touched)),
        (
            "undo_conflict.one",
            "One record was changed since",
            _made(_conflict(properties={"status": "on-hold"}), count=1, toolkit="zendesk"),
        ),
        ("undo_one_way", "A step cannot be taken back", _made(_asked(_ONE_WAY, more=(_SENT,)))),
        (
            "undo_one_way.one",
            "A step of one undo cannot be taken back",
            _made(_asked(_ONE_WAY, more=(_SENT,)), count=1),
        ),
        (
            "undo_one_way.days",
            "A step could not be taken back two days ago",
            _made(_asked(Asked(end="failed", ago_s=2 * 86400), more=(_SENT,))),
        ),
        (
            "undo_one_way.unplanned",
            "An undo was asked for and its plan is empty",
            _made(_unplanned),
        ),
        (
            "undo_unplanned",
            "Missions ask for approval without a plan",
            _made(_without_plan(UNPLAN)),
        ),
        ("undo_unplanned.empty", "Plans without steps", _made(_without_plan(EMPTY_PLAN))),
        (
            "undo_unplanned.no_reverse",
            "A step without its reverse",
            _made(_without_plan(NO_REVERSE)),
        ),
        (
            "undo_unplanned.at_work",
            "A mission at work has no plan",
            _made(_without_plan(UNPLAN, stage="Execute", count=1)),
        ),
        ("undo_cut_off", "A consent ended before the undo", _made(_cut_off, toolkit="hubspot")),
        (
            "undo_cut_off.one",
            "One customer's consent ended",
            _made(_cut_off, count=1, toolkit="zendesk"),
        ),
        (
            "undo_cut_off.drive",
            "The consent for files ended",
            _made(_cut_off, toolkit="googledrive"),
        ),
        ("undo_cut_off.slack", "The consent for messages ended", _made(_cut_off, toolkit="slack")),
    )
)
