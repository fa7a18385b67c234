"""Several actions done as one, so that one dead partner does not keep the others from it."""

from collections.abc import Callable, Sequence
from typing import Any

from runbook_nb.errors import ActionError
from runbook_nb.probes.calls import Action, Systems
from runbook_nb.text.values import Json


def combine(*parts: Action) -> Action:
    """Return one action that does all ``parts`` in order, and goes on where one fails.

    It fails at its end if any part failed, and says which were done. Each part keeps its own
    rehearsal and undo; the undo runs backwards and passes over a part that has none. It only
    tells people if all its parts do.
    """
    return Action(
        name=" + ".join(part.name for part in parts),
        arguments=_arguments(parts),
        timeout_s=sum(part.timeout_s for part in parts),
        run=lambda systems, **_: _done(parts, systems),
        repeatable=all(part.repeatable for part in parts),
        irreversible=any(part.irreversible for part in parts),
        tells=_channels(parts),
        contained=all(part.contained for part in parts),
        rehearse=lambda systems, **_: _rehearsed(parts, systems),
        undo=lambda systems, results, **_: _undone(parts, systems, results),
    )


def _channels(parts: Sequence[Action]) -> tuple[str, ...]:
    if not all(part.tells for part in parts):
        return ()
    return tuple(dict.fromkeys(channel for part in parts for channel in part.tells))


def _arguments(parts: Sequence[Action]) -> dict[str, Any]:
    """Return what the parts are called with, said once where they agree."""
    said: dict[str, Any] = {}
    for part in parts:
        for name, value in part.arguments.items():
            agrees = said.setdefault(name, value) == value
            if not agrees:
                said[f"{part.name}.{name}"] = value
    return said


def _done(parts: Sequence[Action], systems: Systems) -> Json:
    results, failed = _each(parts, lambda part: part.do(systems))
    if failed:
        done = ", ".join(results) or "none"
        said = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        message = f"{said}. Done: {done}."
        raise ActionError(message)
    return results


def _rehearsed(parts: Sequence[Action], systems: Systems) -> Json:
    shown, failed = _each(parts, lambda part: part.rehearsal(systems))
    if not shown:
        message = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise ActionError(message)
    return {**shown, **{name: {"could not be rehearsed": why} for name, why in failed.items()}}


def _undone(parts: Sequence[Action], systems: Systems, results: dict[str, Json]) -> Json:
    backwards = [part for part in reversed(parts) if part.undo and part.name in results]
    undone, failed = _each(backwards, lambda part: part.take_back(systems, results[part.name]))
    if failed:
        said = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        message = f"{said}. Undone: {', '.join(undone) or 'none'}."
        raise ActionError(message)
    return undone


def _each(
    parts: Sequence[Action], call: Callable[[Action], Json]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Call for every part; return the answers and the reasons of those that failed, by name."""
    answers: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for part in parts:
        try:
            answers[part.name] = call(part)
        except Exception as error:  # noqa: BLE001 - the other parts must still be tried
            failed[part.name] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return answers, failed
