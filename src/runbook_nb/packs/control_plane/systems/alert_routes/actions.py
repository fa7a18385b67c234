"""How one rule is made quiet while another fires."""

from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._alerting import proposals, rule_file
from runbook_nb.packs.control_plane.systems._alerting.drift import demand_routes_loaded
from runbook_nb.packs.control_plane.systems._alerting.past import read_past
from runbook_nb.packs.control_plane.systems._alerting.rules import routes
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

_SERVER: Final = "alertmanager"


@action(timeout_s=60, repeatable=True)
def inhibit(systems: Systems, *, window: timedelta) -> Json:
    """Have each duplicate be quiet while its other rule fires, where that loses no incident."""
    proposed, path, before, after = _planned(systems, window)
    left = rule_file.put(systems, _SERVER, path, before=before, after=after)
    return {
        "changed": proposed,
        "difference": rule_file.difference(before, after, context=0),
        **left,
    }


@inhibit.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    proposed, path, before, after = _planned(systems, window)
    difference = rule_file.difference(before, after, context=0)
    return {"would change": proposed, "file": str(path), "difference": difference}


@inhibit.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return rule_file.take_back(systems, _SERVER, result)


def _planned(systems: Systems, window: timedelta) -> tuple[list[dict[str, Any]], Path, str, str]:
    pairs = proposals.inhibited(read_past(systems, window=window))
    good = [pair for pair, one in pairs if not one.declined]
    if not good:
        why = (
            "; ".join(f"{one.rule}: {one.declined}" for _, one in pairs) or "No pair calls for it."
        )
        message = f"No change is proposed. {why}"
        raise NothingDoneError(message)

    def edit(text: str) -> str:
        demand_routes_loaded(text, routes(systems))
        return reduce(
            lambda so_far, pair: rule_file.with_inhibition(
                so_far, source=pair.source, target=pair.target, equal=pair.equal
            ),
            good,
            text,
        )

    path, before, after = rule_file.read(systems, "routes", edit)
    return [one.told() for _, one in pairs], path, before, after
