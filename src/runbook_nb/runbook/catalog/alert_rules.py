"""Alerts in files: a list of names, or rules as Prometheus, its operator and Grafana keep them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError
from runbook_nb.text.formatting import one_line

NAME_LIMIT: Final = 300  # characters; Prometheus and Grafana take any words
DEPTH_LIMIT: Final = 20
_RULE_FILES: Final = ("*.yml", "*.yaml", "*.json")
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# A line that only steers a template is no YAML.
_STEERING: Final = re.compile(r"^\s*(?:\{\{[^}]*\}\}|\{%[^%]*%\})\s*$", re.MULTILINE)
_LEFT_OPEN: Final = re.compile(r"\{\{.*?\}\}|\{%|\$\{|%\(\w+\)s|\[\[.*?\]\]")
_MARK: Final = "TEMPLATE{}PART"


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """An alert by name, with the query that its rule asks; empty where only the name is known."""

    name: str
    expression: str = ""

    @property
    def is_templated(self) -> bool:
        """Whether the name is filled in later, so that no alert ever has it as it stands."""
        return bool(_LEFT_OPEN.search(self.name))


def read_alert_rules(path: Path) -> list[AlertRule]:
    """Return the alerts of a file or a folder: one name a line, a list, or rules in YAML or JSON.

    Rules are those of Prometheus (``alert``), of its operator's resources, of its API, and those
    that Grafana exports (``title``); rules that only record are none. The file may be a template:
    its marks stay in the names. Raises ParameterError for anything else.
    """
    if path.is_dir():
        return _read_folder(path)
    try:
        text = path.read_text(encoding="utf-8")
        rules = [*_rules_of(_documents(text, is_json=path.suffix == ".json"), text)]
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else one_line(error, 200)
        message = f"{path} is no list of alerts: {reason or type(error).__name__}."
        raise ParameterError(message) from error
    wrong = [name for name, _ in rules if not _is_name(name)]
    if wrong or not rules:
        said = f"{one_line(wrong[0], 80)!r} is no name of an alert" if wrong else "it names none"
        message = f"{path}: {said}. Write one name a line, or give a file of rules."
        raise ParameterError(message)
    known: dict[str, AlertRule] = {}
    for name, expression in rules:
        known.setdefault(name, AlertRule(name=name, expression=expression.strip()))
    return list(known.values())


def _read_folder(path: Path) -> list[AlertRule]:
    """Return the rules of all files below a folder; a file that holds none is passed over."""
    found: dict[str, AlertRule] = {}
    for file in sorted({each for kind in _RULE_FILES for each in path.rglob(kind)}):
        try:
            rules = read_alert_rules(file)
        except ParameterError:
            continue
        for rule in rules if any(rule.expression for rule in rules) else ():
            found.setdefault(rule.name, rule)
    if not found:
        message = f"{path}: no file below it holds a rule. Name a file of rules, or its folder."
        raise ParameterError(message)
    return list(found.values())


def _documents(text: str, *, is_json: bool) -> list[Any]:
    """Return the documents of a file; raises ValueError for what is neither JSON nor YAML."""
    if is_json:
        return [json.loads(text)]
    try:
        return _yaml(text)
    except ValueError:
        if not _TEMPLATE.search(text):
            # Names that stand one a line may hold what YAML reads as its own signs.
            return [None]
    marks: list[str] = []

    def mark(found: re.Match[str]) -> str:
        marks.append(found[0])
        return _MARK.format(len(marks) - 1)

    try:
        documents = _yaml(_TEMPLATE.sub(mark, _STEERING.sub("", text)))
    except ValueError:
        return [None]
    return [_restored(document, marks) for document in documents]


def _yaml(text: str) -> list[Any]:
    """Return the documents of YAML; raises ValueError for what is none."""
    import yaml  # type: ignore[import-untyped]

    # libyaml reads it ten times as fast; without it the result is the same.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(yaml.load_all(text, Loader=loader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _restored(found: Any, marks: Sequence[str]) -> Any:
    """Return a document with the parts of its template where they stood."""
    if isinstance(found, str):
        return re.sub(r"TEMPLATE(\d+)PART", lambda each: marks[int(each[1])], found)
    if isinstance(found, Mapping):
        return {name: _restored(value, marks) for name, value in found.items()}
    if isinstance(found, list):
        return [_restored(each, marks) for each in found]
    return found


def _rules_of(documents: list[Any], text: str) -> Iterator[tuple[Any, str]]:
    """Return the rules, those of a list, or the lines where neither is there."""
    if any(isinstance(document, Mapping) for document in documents):
        for document in documents:
            yield from _within(document, depth=0)
    elif len(documents) == 1 and isinstance(documents[0], list):
        for each in documents[0]:
            yield from _within(each, depth=0) if isinstance(each, Mapping) else [(each, "")]
    elif all(document is None or isinstance(document, str) for document in documents):
        lines = (line.partition(" #")[0].strip() for line in text.splitlines())
        yield from ((line, "") for line in lines if line and not line.startswith("#"))


def _within(found: Any, *, depth: int) -> Iterator[tuple[Any, str]]:
    """Go through what a document holds; a rule is an entry of a list called ``rules``."""
    if depth > DEPTH_LIMIT:
        return
    if isinstance(found, Mapping):
        for name, inside in found.items():
            if name == "rules" and isinstance(inside, list):
                yield from (each for rule in inside for each in _rule(rule))
            else:
                yield from _within(inside, depth=depth + 1)
    elif isinstance(found, list):
        for each in found:
            yield from _within(each, depth=depth + 1)


def _rule(rule: Any) -> Iterator[tuple[Any, str]]:
    if not isinstance(rule, Mapping):
        return
    grafana = rule.get("grafana_alert")
    if "alert" in rule:
        yield rule["alert"], _text(rule.get("expr"))
    elif isinstance(grafana, Mapping):
        yield grafana.get("title"), _asked(grafana)
    elif "title" in rule and "condition" in rule:
        yield rule["title"], _asked(rule)
    elif rule.get("type") == "alerting" and "name" in rule:
        yield rule["name"], _text(rule.get("query"))


def _asked(rule: Mapping[str, Any]) -> str:
    """Return the query of Grafana's rule where it has a single one."""
    parts = rule.get("data")
    models = [each.get("model") for each in parts or () if isinstance(each, Mapping)]
    asked = [_text(model.get("expr")) for model in models if isinstance(model, Mapping)]
    found = [each for each in asked if each]
    return found[0] if len(found) == 1 else ""


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name.strip()) <= NAME_LIMIT and name.isprintable()
