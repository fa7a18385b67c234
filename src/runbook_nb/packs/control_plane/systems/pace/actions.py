"""How the agent's pace is changed; each machine that changes restarts."""

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._fly import configure, machine_settings
from runbook_nb.packs.control_plane.systems._limits import headroom_left
from runbook_nb.packs.control_plane.systems.pace._settings import ATTEMPTS, NAMES, PAUSE
from runbook_nb.packs.control_plane.systems.pace.probes import ENOUGH
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=120, repeatable=True, contained=True)
def slow_down(systems: Systems, *, pause_s: float) -> Json:
    """Have the agent pause so long before each call, and try none again at once."""
    return {"before": configure(systems, _slow(pause_s), names=NAMES)}


@slow_down.rehearsal
def _(systems: Systems, *, pause_s: float) -> Json:
    return {"now": machine_settings(systems, NAMES), "would become": _slow(pause_s)}


@slow_down.undo
def _(systems: Systems, result: Json, *, pause_s: float) -> Json:  # noqa: ARG001
    return _restore(systems, result)


@action(timeout_s=120, repeatable=True, contained=True)
def stop_retries(systems: Systems) -> Json:
    """Have the agent try each refused call once, and let it wait."""
    return {"before": configure(systems, {ATTEMPTS: None}, names=NAMES)}


@stop_retries.rehearsal
def _(systems: Systems) -> Json:
    return {"now": machine_settings(systems, NAMES), "would become": {ATTEMPTS: None}}


@stop_retries.undo
def _(systems: Systems, result: Json) -> Json:
    return _restore(systems, result)


@action(timeout_s=120, repeatable=True, contained=True)
def take_back(systems: Systems) -> Json:
    """Have the agent call without a pause again; raises NothingDoneError while little is left."""
    left, _ = headroom_left(systems)
    if not isinstance(left, float) or left <= ENOUGH:
        message = f"Only {left} % of Composio's limit is left. The pause stays."
        raise NothingDoneError(message)
    return {"before": configure(systems, {PAUSE: None}, names=NAMES)}


@take_back.rehearsal
def _(systems: Systems) -> Json:
    return {"now": machine_settings(systems, NAMES), "would become": {PAUSE: None}}


@take_back.undo
def _(systems: Systems, result: Json) -> Json:
    return _restore(systems, result)


def _slow(pause_s: float) -> dict[str, str | None]:
    return {PAUSE: f"{pause_s:g}", ATTEMPTS: None}


def _restore(systems: Systems, result: Json) -> Json:
    for machine, before in result["before"].items():
        configure(systems, before, names=NAMES, only=machine)
    return {"restored": result["before"]}
