"""The files of rules and routes: one field changed in its own line, all else left as written."""

import difflib
import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.probes.calls import Systems
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json

_ALERT: Final = re.compile(r"^(?P<indent>\s*)- alert:\s*(?P<name>\S+)\s*$")
_INHIBITIONS: Final = re.compile(r"^inhibit_rules:[ \t]*(?:\[\s*\])?[ \t]*$", re.MULTILINE)


def with_field(text: str, *, alert: str, field: str, value: str) -> str:
    """Return the rule file with one field of one alert changed or added.

    ``severity`` is the label. Raises NothingDoneError where the file is written in a way that this
    cannot change safely: whatever else would differ, or is not found once.
    """
    lines = text.splitlines(keepends=True)
    begins, ends, indent = _block(lines, alert)
    place = re.compile(rf"^(?P<head>\s*{field}:\s*)\S.*$")
    places = [number for number in range(begins, ends) if place.match(lines[number])]
    if places:
        head = place.match(lines[places[0]])
        lines[places[0]] = f"{head['head'] if head else ''}{value}\n"
    else:
        after = [n for n in range(begins, ends) if lines[n].startswith(f"{indent}  expr: ")]
        if len(after) != 1:
            raise _by_hand(alert, "its expression does not stand on one line")
        lines.insert(after[0] + 1, f"{indent}  {field}: {value}\n")
    changed = "".join(lines)
    if yaml.safe_load(changed) != _expected(text, alert, field, value):
        raise _by_hand(alert, "more than the field would change")
    return changed


def with_inhibition(text: str, *, source: str, target: str, equal: tuple[str, ...]) -> str:
    """Return Alertmanager's configuration with one inhibition more; NothingDoneError if unsafe."""
    entry = (
        f"  - source_matchers: ['alertname=\"{source}\"']\n"
        f"    target_matchers: ['alertname=\"{target}\"']\n"
        f"    equal: [{', '.join(equal)}]\n"
    )
    head = _INHIBITIONS.search(text)
    if head:
        changed = f"{text[: head.start()]}inhibit_rules:\n{entry}{text[head.end() + 1 :]}"
    else:
        changed = f"{text.rstrip()}\n\ninhibit_rules:\n{entry}"
    expected = yaml.safe_load(text)
    added = yaml.safe_load(f"new:\n{entry}")["new"]
    expected["inhibit_rules"] = [*added, *(expected.get("inhibit_rules") or [])]
    if yaml.safe_load(changed) != expected:
        message = "The routes are written in a way that cannot be changed safely; change by hand."
        raise NothingDoneError(message)
    return changed


def difference(before: str, after: str, *, context: int = 3) -> list[str]:
    """Return the change as a reviewer reads it: a unified diff with so many lines around it."""
    old, new = before.splitlines(), after.splitlines()
    found = difflib.unified_diff(old, new, "before", "after", n=context)
    return [line.rstrip() for line in found]


def put(systems: Systems, system: str, path: Path, *, before: str, after: str) -> Json:
    """Write a file and have its server load it; one that it refuses is put back at once.

    Raises NothingDoneError where the file has changed since it was read, and ActionError where
    the server refused the new one, or gave no answer.
    """
    if path.read_text(encoding="utf-8") != before:
        message = f"{path.name} has changed since it was read; look again."
        raise NothingDoneError(message)
    import httpx

    write_atomically(path, after)
    try:
        answer = systems.http(system).request("POST", "/-/reload")
    except httpx.HTTPError as error:
        # Whether it was loaded nobody knows; what lies there is what will be loaded next.
        write_atomically(path, before)
        message = (
            f"{system} gave no answer, so the old file was put back: {error}. It may have loaded "
            "the new one: have it reload, and look at its rules, before you go on."
        )
        raise ActionError(message) from error
    if answer.is_error:
        write_atomically(path, before)
        systems.http(system).request("POST", "/-/reload").raise_for_status()
        message = f"{system} refused the file, so it was put back: {answer.text[:300]}"
        raise ActionError(message)
    # The lines that changed and no others: what else stands there may be secret.
    return {"file": str(path), "lines": _changed_lines(before, after), "left": _digest(after)}


def take_back(systems: Systems, system: str, result: Json) -> Json:
    """Put back the file as it was before, unless somebody has changed it since."""
    path = Path(result["file"])
    now = path.read_text(encoding="utf-8")
    if _digest(now) != result["left"]:
        message = (
            f"{path.name} was changed after this action, and putting the old file back would undo "
            "that too. Take the lines of the difference back by hand."
        )
        raise ActionError(message)
    lines = now.splitlines(keepends=True)
    for change in reversed(result["lines"]):
        lines[change["at"] : change["at"] + len(change["now"])] = change["was"]
    put(systems, system, path, before=now, after="".join(lines))
    return {"put back": path.name, "lines": result["lines"]}


def read(systems: Systems, name: str, edit: Callable[[str], str]) -> tuple[Path, str, str]:
    """Return where a file lies, its text, and its text as edited."""
    path = Path(systems.setting("alerting", name))
    text = path.read_text(encoding="utf-8")
    return path, text, edit(text)


def _changed_lines(before: str, after: str) -> list[dict[str, Any]]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    codes = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
    return [
        {"at": j1, "was": old[i1:i2], "now": new[j1:j2]}
        for kind, i1, i2, j1, j2 in codes
        if kind != "equal"
    ]


def _block(lines: list[str], alert: str) -> tuple[int, int, str]:
    heads = [(n, found) for n, line in enumerate(lines) if (found := _ALERT.match(line))]
    ours = [(n, found) for n, found in heads if found["name"].strip("'\"") == alert]
    if len(ours) != 1:
        raise _by_hand(alert, f"the file names it {len(ours)} times")
    begins, indent = ours[0][0], ours[0][1]["indent"]
    end = begins + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(f"{indent}  ")):
        end += 1
    return begins, end, indent


def _expected(text: str, alert: str, field: str, value: str) -> Any:
    wanted = deepcopy(yaml.safe_load(text))
    for group in wanted["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") == alert:
                (rule["labels"] if field == "severity" else rule)[field] = value
    return wanted


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _by_hand(alert: str, why: str) -> NothingDoneError:
    message = f"The rule {alert} cannot be changed safely: {why}. Change it by hand."
    return NothingDoneError(message)
