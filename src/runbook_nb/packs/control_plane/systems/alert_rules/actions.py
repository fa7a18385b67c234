"""How alert rules are changed: in the rule file, one field each, proven on the weeks before."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._alerting import proposals, rule_file
from runbook_nb.packs.control_plane.systems._alerting.drift import demand_rules_loaded
from runbook_nb.packs.control_plane.systems._alerting.past import Past, read_past
from runbook_nb.packs.control_plane.systems._alerting.proposals import Proposal
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

_SERVER: Final = "prometheus"
Propose = Callable[[Past], Sequence[Proposal]]


# Each of them proposes anew, so one that was cut off finds what is left to do, or nothing.
@action(timeout_s=60, repeatable=True)
def keep_open(systems: Systems, *, window: timedelta) -> Json:
    """Keep the alert of each flapping rule open over its gaps, where that loses no incident."""
    return _change(systems, window, proposals.steadier)


@keep_open.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _shown(systems, window, proposals.steadier)


@keep_open.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return rule_file.take_back(systems, _SERVER, result)


@action(timeout_s=60, repeatable=True)
def raise_limit(systems: Systems, *, window: timedelta) -> Json:
    """Move the limit of each rule that is too tight, where that loses no incident."""
    return _change(systems, window, proposals.higher)


@raise_limit.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _shown(systems, window, proposals.higher)


@raise_limit.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return rule_file.take_back(systems, _SERVER, result)


@action(timeout_s=60, repeatable=True)
def to_ticket(systems: Systems, *, window: timedelta) -> Json:
    """Have each rule that nobody acted on write a ticket, where no incident was declared."""
    return _change(systems, window, proposals.quieter)


@to_ticket.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _shown(systems, window, proposals.quieter)


@to_ticket.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return rule_file.take_back(systems, _SERVER, result)


def _change(systems: Systems, window: timedelta, propose: Propose) -> Json:
    proposed, path, before, after = _planned(systems, window, propose)
    left = rule_file.put(systems, _SERVER, path, before=before, after=after)
    return {"changed": proposed, "difference": rule_file.difference(before, after), **left}


def _shown(systems: Systems, window: timedelta, propose: Propose) -> Json:
    proposed, path, before, after = _planned(systems, window, propose)
    difference = rule_file.difference(before, after)
    return {"would change": proposed, "file": str(path), "difference": difference}


def _planned(
    systems: Systems, window: timedelta, propose: Propose
) -> tuple[list[dict[str, Any]], Path, str, str]:
    """Return the proposals and the file before and after; NothingDoneError where none holds."""
    past = read_past(systems, window=window)
    proposed = propose(past)
    good = [one for one in proposed if not one.declined]
    if not good:
        why = (
            "; ".join(f"{one.rule}: {one.declined}" for one in proposed) or "No rule calls for it."
        )
        message = f"No change is proposed. {why}"
        raise NothingDoneError(message)

    def edit(text: str) -> str:
        demand_rules_loaded(text, past.rules)
        return reduce(
            lambda so_far, one: rule_file.with_field(
                so_far, alert=one.rule, field=one.field, value=one.value
            ),
            good,
            text,
        )

    path, before, after = rule_file.read(systems, "rules", edit)
    return [one.told() for one in proposed], path, before, after
