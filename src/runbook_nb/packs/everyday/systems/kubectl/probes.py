"""Questions to a cluster, as the words that follow ``kubectl``; the answer is always JSON.

The words are given apart, ``("get", "deployment/web", "-n", "shop")``, never as a line. A writing
verb is refused before a process starts, and so is an option that leads elsewhere.
"""

from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, ParameterError, SettingMissingError
from runbook_nb.packs.everyday.systems._fields import (
    FieldMissingError,
    as_text,
    beginning,
    field,
    parse,
    steps,
)
from runbook_nb.packs.everyday.systems.kubectl.reading import writes
from runbook_nb.probes.calls import Reading, Systems, probe

SYSTEM: Final = "kubectl"
# Less than the limit of a probe, so that the program itself says which server is silent.
SERVER_TIMEOUT: Final = "--request-timeout=8s"
OBJECTS_SHOWN: Final = 20


@probe(unit="", timeout_s=12)
def value(systems: Systems, words: Sequence[str], field_path: str, *, unit: str = "") -> Reading:
    """Return a field of one answer, in ``unit``, such as ``status.readyReplicas`` of a deployment.

    ``status.conditions[type=Ready].status`` chooses from a list; a missing field is unknown.
    """
    return Reading(value=field(_document(systems, words), field_path))


@probe(unit="objects", timeout_s=12)
def count(
    systems: Systems,
    words: Sequence[str],
    *,
    where: str = "",
    one_of: Sequence[str] = (),
    none_of: Sequence[str] = (),
) -> Reading:
    """Return how many objects of a list there are, or have a field with a value.

    ``where`` is the field's path, such as ``status.phase``. ``one_of`` counts the objects whose
    field has one of these values, ``none_of`` those whose field has another one, or which have no
    such field. The detail names the counted objects with their value, and how many there are.
    """
    if bool(where) != (bool(one_of) != bool(none_of)):
        message = "Give `where` together with either `one_of` or `none_of`, or none of the three."
        raise ParameterError(message)
    steps(where)
    items = _items(_document(systems, words))
    counted = [each for each in items if _fits(_found(each, where), one_of, none_of)]
    shown = [{"object": _name(each), where or "kind": _shown(each, where)} for each in counted]
    return Reading(value=len(counted), detail={"of": len(items), "objects": shown[:OBJECTS_SHOWN]})


def _document(systems: Systems, words: Sequence[str]) -> Any:
    """Return what the cluster of the settings answers, as JSON; raises NoAnswerError."""
    if isinstance(words, str):
        message = f"Give the words of kubectl apart, such as {tuple(words.split())!r}."
        raise ParameterError(message)
    program = _setting(systems, "program") or "kubectl"
    if program not in {"kubectl", "oc"}:
        message = f"The setting 'program' of {SYSTEM!r} is {program!r}; it can be kubectl or oc."
        raise SettingMissingError(message)
    target = [f"--context={systems.setting(SYSTEM, 'context')}", SERVER_TIMEOUT]
    if kubeconfig := _setting(systems, "kubeconfig"):
        target.append(f"--kubeconfig={kubeconfig}")
    output = systems.command(SYSTEM).run(
        (program, *words, "--output=json", *target), writes=lambda _: writes(words)
    )
    if output.code != 0:
        message = f"{program} ended with exit code {output.code}: {beginning(output.errors)}"
        raise NoAnswerError(message)
    return parse(output.text, of=f"The answer of {program}")


def _setting(systems: Systems, name: str) -> str:
    try:
        return systems.setting(SYSTEM, name)
    except SettingMissingError:
        return ""


def _items(document: Any) -> list[Any]:
    """Return the objects of a whole list; raises NoAnswerError for one object and for a part."""
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        message = "The answer is one object and no list; leave out its name to count."
        raise NoAnswerError(message)
    if (document.get("metadata") or {}).get("continue"):
        message = "The answer is a part of the list only, so it has no count."
        raise NoAnswerError(message)
    return items


def _found(item: Any, where: str) -> str | None:
    """Return a field of an object as text, None where the object has none."""
    try:
        return as_text(field(item, where)) if where else None
    except FieldMissingError:
        return None


def _fits(found: str | None, one_of: Sequence[str], none_of: Sequence[str]) -> bool:
    return found in one_of if one_of else found not in none_of


def _name(item: Any) -> str:
    names = item.get("metadata", {}) if isinstance(item, dict) else {}
    return "/".join(str(names[key]) for key in ("namespace", "name") if key in names)


def _shown(item: Any, where: str) -> str | None:
    return _found(item, where) if where else _found(item, "kind")
