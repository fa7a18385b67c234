"""Whether what was wrong is fixed, and known to be: the one answer for a whole incident.

The newest reading of each check decides, whichever run took it; one of before a change says
nothing about after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from runbook_nb.record.facts.types import ActionFacts
from runbook_nb.timeline.events import Checked, Event, Verdict, Verified

Reading = Checked | Verified
Readings = Mapping[str, Sequence[tuple[int, Reading]]]


class ResolutionState(StrEnum):
    """What became of the trouble."""

    FIXED = "fixed"
    NOT_VERIFIED = "not verified"
    NOT_FIXED = "not fixed"
    RECOVERED = "recovered"
    NOTHING_FAILED = "nothing failed"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What became of the trouble, and the titles of the checks that say so.

    ``action`` is the last that was done and kept, at ``changed_at``. ``passing`` are the checks
    that had failed, or were verified, and pass since; ``failing`` and ``doubtful`` (a warning, or
    no answer) do not, ``unread`` were not read since, and ``broke`` were verified and failed again.
    ``harmed`` passed before the first change and failed after it. ``verified_at`` is when the last
    of the passing ones was known to, None unless it is fixed.
    """

    state: ResolutionState
    action: str = ""
    changed_at: datetime | None = None
    verified_at: datetime | None = None
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    broke: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether something was changed, and every check that failed is known to pass since."""
        return self.state is ResolutionState.FIXED

    @property
    def is_over(self) -> bool:
        """Whether the trouble ended, by a change or by itself."""
        return self.state in (ResolutionState.FIXED, ResolutionState.RECOVERED)


def fold_resolution(
    events: Sequence[Event], actions: Sequence[ActionFacts], *, whole: bool = True
) -> Resolution:
    """Return what became of the trouble; of a timeline that is not ``whole``, nobody knows."""
    places = {id(event): place for place, event in enumerate(events, start=1)}
    readings = _readings(events)
    fixes = [action for action in actions if action.is_done and not action.event.tells]
    harmed = tuple(_harmed(readings, _first_change(actions, places)))
    found = _changed(readings, fixes, places) if fixes else _unchanged(readings)
    if not whole:
        found = {"state": ResolutionState.NOT_KNOWN}
    return Resolution(**found, harmed=harmed)


def verified_actions(events: Sequence[Event], actions: Sequence[ActionFacts]) -> list[bool]:
    """Tell of each action whether all checks that called for it pass since, and none broke."""
    known = _readings(events)
    places = {id(event): place for place, event in enumerate(events, start=1)}
    return [
        action.done is not None and _is_verified(action, known, places[id(action.done)])
        for action in actions
    ]


def _is_verified(action: ActionFacts, known: Readings, done: int) -> bool:
    called = action.because or _verified_after(known, done)
    return bool(called) and all(
        _grade(known[title], done, done) == "passing" and not _broke(known[title], done)
        for title in called
    )


def _readings(events: Sequence[Event]) -> dict[str, list[tuple[int, Reading]]]:
    known: dict[str, list[tuple[int, Reading]]] = {}
    for seq, event in enumerate(events, start=1):
        if isinstance(event, Checked | Verified):
            known.setdefault(event.title, []).append((seq, event))
    return known


def _changed(
    known: Readings, fixes: Sequence[ActionFacts], places: Mapping[int, int]
) -> dict[str, Any]:
    """Judge every check that had failed, called for a change, or was verified after the last."""
    last = fixes[-1]
    changed_at = {title: places[id(fix.done)] for fix in fixes for title in fix.because}
    begin = places[id(last.done)]
    # In the order of the readings, and quick to be asked.
    verified = dict.fromkeys(_verified_after(known, begin))
    titles = [title for title in known if _has_failed(known[title]) or title in verified]
    grades = {title: _grade(known[title], changed_at.get(title, 0), begin) for title in titles}
    found = {
        name: tuple(title for title in titles if grades[title] == name)
        for name in ("passing", "failing", "doubtful", "unread")
    }
    broke = tuple(title for title in verified if _broke(known[title], begin))
    state = ResolutionState.FIXED
    if broke or found["failing"]:
        state = ResolutionState.NOT_FIXED
    elif found["doubtful"] or found["unread"] or not {*verified} & {*found["passing"]}:
        state = ResolutionState.NOT_VERIFIED
    is_fixed = state is ResolutionState.FIXED
    known_at = [_known_since(known[title], begin) for title in found["passing"]]
    return {
        "state": state,
        "action": last.title,
        "changed_at": last.done.at if last.done else None,
        "verified_at": max(filter(None, known_at)) if is_fixed else None,
        "broke": broke,
        **found,
    }


def _unchanged(known: Readings) -> dict[str, Any]:
    """Judge the checks that had failed by their newest reading: nothing was changed and kept."""
    titles = [title for title, readings in known.items() if _has_failed(readings)]
    newest = {title: known[title][-1][1].verdict for title in titles}
    over = (Verdict.PASS, Verdict.WARN)
    failing = tuple(title for title in titles if newest[title] is Verdict.FAIL)
    doubtful = tuple(title for title in titles if newest[title] is Verdict.UNKNOWN)
    state = ResolutionState.RECOVERED if titles else ResolutionState.NOTHING_FAILED
    if failing or doubtful:
        state = ResolutionState.NOT_FIXED if failing else ResolutionState.NOT_KNOWN
    passing = tuple(title for title in titles if newest[title] in over)
    return {"state": state, "passing": passing, "failing": failing, "doubtful": doubtful}


def _grade(readings: Sequence[tuple[int, Reading]], changed: int, last_change: int) -> str:
    """Name what the newest reading of a check says; ``changed`` is what was done for it."""
    seq, newest = readings[-1]
    if newest.verdict is Verdict.PASS:
        # A change that was made for another check takes nothing from a pass.
        return "passing" if seq > changed else "unread"
    if seq < last_change:
        return "unread"
    return "failing" if newest.verdict is Verdict.FAIL else "doubtful"


def _verified_after(known: Readings, begin: int) -> tuple[str, ...]:
    return tuple(
        title
        for title, readings in known.items()
        # From the newest on: an early change of a long night has a late verification.
        if any(seq > begin and isinstance(event, Verified) for seq, event in reversed(readings))
    )


def _broke(readings: Sequence[tuple[int, Reading]], begin: int) -> bool:
    """Tell whether a check was verified and failed later, with nothing changed in between."""
    since = [event for seq, event in readings if seq > begin]
    held = [isinstance(event, Verified) and event.verdict is Verdict.PASS for event in since]
    if True not in held:
        return False
    later = since[held.index(True) :]
    failed = any(event.verdict is Verdict.FAIL for event in later)
    return failed or later[-1].verdict is not Verdict.PASS


def _known_since(readings: Sequence[tuple[int, Reading]], begin: int) -> datetime | None:
    """Return when a check that passes was first known to, after the last change."""
    since = [event for seq, event in readings if seq > begin]
    verified = (event for event in since if isinstance(event, Verified))
    # A reading on the way to the verification, or a single one, is only its beginning.
    first = next((event for event in verified if event.verdict is Verdict.PASS), None)
    passed = (event for event in since if event.verdict is Verdict.PASS)
    found = first or next(passed, None)
    return found.at if found else None


def _has_failed(readings: Sequence[tuple[int, Reading]]) -> bool:
    return any(event.verdict is Verdict.FAIL for _, event in readings)


def _first_change(actions: Sequence[ActionFacts], places: Mapping[int, int]) -> int | None:
    """Return the place of the first event that changed more than what people were told."""
    sent = (action.acting or action.done for action in actions if not action.event.tells)
    return min((places[id(event)] for event in sent if event is not None), default=None)


def _harmed(known: Readings, change: int | None) -> Iterator[str]:
    for title, readings in known.items():
        before = [event.verdict for seq, event in readings if change and seq < change]
        failed = _has_failed(readings) and Verdict.FAIL not in before
        if before and before[-1] is Verdict.PASS and failed:
            yield title
