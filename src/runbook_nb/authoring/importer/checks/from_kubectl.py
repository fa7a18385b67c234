"""Checks from kubectl and oc: a list of objects is counted, and a field of one object is read."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.commands.programs import READING
from runbook_nb.authoring.importer.checks.arguments import arguments
from runbook_nb.authoring.importer.checks.draft import HIGHEST, CheckDraft, Name, Offers, offered
from runbook_nb.runbook.blanks import FILL_IN

_FIELD: Final = re.compile(r"\{?\.([\w.]+)\}?")
# Of what kubectl is told, this chooses what is read; all else is how it is shown, or where.
_CHOOSING: Final = ("-n", "--namespace", "-l", "--selector", "--field-selector")
_EVERYWHERE: Final = ("-A", "--all-namespaces")
_SHOWING_OPTIONS: Final = """
-o --output --sort-by --show-labels -w --watch --no-headers --context --kubeconfig -L
"""
_SHOWING: Final = frozenset(_SHOWING_OPTIONS.split())
_PODS: Final = frozenset({"po", "pod", "pods"})
_SECRET: Final = ("secret", "secrets")


def check_of_kubectl(words: Sequence[str], offers: Offers) -> CheckDraft | None:
    """Return the check that asks what a call asks, by the words behind its name."""
    given = READING["kubectl"].arguments(words)
    objects = _objects(given.operands)
    chosen: list[str] = []
    for option, value in given.options:
        if option in _CHOOSING:
            chosen += [option, value]
        elif option in _EVERYWHERE:
            chosen.append(option)
        elif option not in _SHOWING:
            return None
    kinds = objects[0].partition("/")[0].split(",") if objects else [""]
    if not kinds[0] or any(kind.partition(".")[0].lower() in _SECRET for kind in kinds):
        return None
    chosen_words = arguments(["get", *_apart(objects), *chosen])
    if chosen_words is None:
        return None
    title = " ".join(each.name if isinstance(each, Name) else each for each in chosen_words[1:])
    limit: tuple[str, tuple[object, ...]]
    if len(_apart(objects)) > 1 or "/" in objects[0]:
        path = _path(given.values("-o", "--output"))
        limit = ("one_of", (f"{FILL_IN} the values that are healthy",))
        return offered(offers, title, "kubectl", "value", chosen_words, path, expect=limit)
    if kinds[0] in _PODS:
        named = {"where": "status.phase", "none_of": ("Running", "Succeeded")}
        limit = ("equals", (0, "objects"))
        said = f"Not running: {title}"
        return offered(offers, said, "kubectl", "count", chosen_words, named=named, expect=limit)
    limit = ("at_most", (HIGHEST, "objects"))
    return offered(offers, title, "kubectl", "count", chosen_words, expect=limit)


def _objects(operands: Sequence[str]) -> list[str]:
    """Return what a call reads: a list, or one object that is described or waited for."""
    match list(operands):
        case ["get", *objects]:
            return objects
        case ["describe", kind, name]:
            return [kind, name]
        case ["describe", named] if "/" in named:
            return [named]
        case ["rollout", "status", *objects]:
            return objects
    return []


def _apart(objects: Sequence[str]) -> list[str]:
    """Return ``deployment/${name}`` as two words, since a parameter is a word of its own."""
    if len(objects) == 1 and "$" in objects[0]:
        return objects[0].split("/", 1)
    return list(objects)


def _path(outputs: Sequence[str]) -> str:
    """Return the field that an output of JSONPath names, or what its author must say."""
    for output in outputs:
        found = _FIELD.fullmatch(output.partition("jsonpath=")[2].strip("'\""))
        if found:
            return found[1]
    return f"{FILL_IN} the field, such as status.readyReplicas"
