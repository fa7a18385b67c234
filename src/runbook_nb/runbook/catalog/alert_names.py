"""The names of alerts in a file: a list, or rules as Prometheus and Grafana keep them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError
from runbook_nb.text.formatting import one_line

NAME_LIMIT: Final = 300  # characters; Prometheus and Grafana take any words
DEPTH_LIMIT: Final = 20


def read_alert_names(path: Path) -> list[str]:
    """Return the alerts of a file: one name a line, a list, or rules in YAML or JSON.

    Rules are those of Prometheus (``alert``), of its operator's resources, and those that Grafana
    exports (``title``). Raises ParameterError for anything else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        names = [*_names(_read(text, is_json=path.suffix == ".json"), text)]
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else one_line(error, 200)
        message = f"{path} is no list of alerts: {reason or type(error).__name__}."
        raise ParameterError(message) from error
    wrong = [name for name in names if not _is_name(name)]
    if wrong or not names:
        said = f"{one_line(wrong[0], 80)!r} is no name of an alert" if wrong else "it names none"
        message = f"{path}: {said}. Write one name a line, or give a file of rules."
        raise ParameterError(message)
    return list(dict.fromkeys(names))


def _read(text: str, *, is_json: bool) -> list[Any]:
    """Return the documents of a file; raises ValueError for what is neither JSON nor YAML."""
    if is_json:
        return [json.loads(text)]
    import yaml  # type: ignore[import-untyped]

    # libyaml reads it ten times as fast; without it the result is the same.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(yaml.load_all(text, Loader=loader))
    except yaml.YAMLError:
        # Names that stand one a line may hold what YAML reads as its own signs.
        return [None]


def _names(documents: list[Any], text: str) -> Iterator[Any]:
    """Return the names of rules, of a list, or of the lines where neither is there."""
    if any(isinstance(document, Mapping) for document in documents):
        for document in documents:
            yield from _rules(document, depth=0)
    elif len(documents) == 1 and isinstance(documents[0], list):
        for each in documents[0]:
            yield from _rules(each, depth=0) if isinstance(each, Mapping) else [each]
    elif all(document is None or isinstance(document, str) for document in documents):
        lines = (line.partition(" #")[0].strip() for line in text.splitlines())
        yield from (line for line in lines if line and not line.startswith("#"))


def _rules(found: Any, *, depth: int) -> Iterator[Any]:
    """Go through what a document holds; a rule is an entry of a list called ``rules``."""
    if depth > DEPTH_LIMIT:
        return
    if isinstance(found, Mapping):
        for name, inside in found.items():
            if name == "rules" and isinstance(inside, list):
                yield from (each for rule in inside for each in _rule(rule))
            else:
                yield from _rules(inside, depth=depth + 1)
    elif isinstance(found, list):
        for each in found:
            yield from _rules(each, depth=depth + 1)


def _rule(rule: Any) -> Iterator[Any]:
    if not isinstance(rule, Mapping):
        return
    if "alert" in rule:
        yield rule["alert"]
    elif "grafana_alert" in rule and isinstance(rule["grafana_alert"], Mapping):
        yield rule["grafana_alert"].get("title")
    elif "title" in rule and "condition" in rule:
        yield rule["title"]


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name.strip()) <= NAME_LIMIT and name.isprintable()
