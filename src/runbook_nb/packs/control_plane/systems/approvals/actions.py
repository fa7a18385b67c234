"""How a request that was made twice is withdrawn."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems.approvals._queries import REPEATED
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

WITHDRAW: Final = """
update mission_approvals
set status = 'expired', rationale = 'The same request was made twice; the first one stands.'
where id = any(%(approvals)s::uuid[]) and status = 'requested'
returning id::text
"""
ASK_AGAIN: Final = """
update mission_approvals
set status = 'requested', rationale = null
where id = any(%(approvals)s::uuid[]) and status = 'expired'
returning id::text
"""


@action(timeout_s=30, repeatable=True, contained=True)
def withdraw_repeated(systems: Systems) -> Json:
    """Let the later ones of the requests that stand twice expire; the first stays open."""
    with systems.database().transaction():
        return _withdraw(systems)


@withdraw_repeated.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _withdraw(systems)


@withdraw_repeated.undo
def _(systems: Systems, result: Json) -> Json:
    with systems.database().transaction():
        rows = systems.database().rows(ASK_AGAIN, approvals=result["withdrawn"])
    return {"open again": [row["id"] for row in rows]}


def _withdraw(systems: Systems) -> dict[str, Any]:
    rows = systems.database().rows(REPEATED)
    done = systems.database().rows(WITHDRAW, approvals=[row["approval"] for row in rows])
    return {"withdrawn": [row["id"] for row in done], "kept": sorted({r["repeats"] for r in rows})}
