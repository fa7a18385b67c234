"""Prometheus' text format, as far as the hall's service writes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runbook_nb import NoAnswerError

_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One line of an exposition: the labels of a series and its value now."""

    labels: Mapping[str, str]
    value: float


def samples(text: str, name: str) -> list[Sample]:
    """Return all samples of one metric; raises NoAnswerError where the text has none."""
    found = [
        Sample(labels=dict(_LABEL.findall(line["labels"] or "")), value=float(line["value"]))
        for line in map(_SAMPLE.fullmatch, text.splitlines())
        if line and line["name"] == name
    ]
    if not found:
        message = f"/metrics has no sample of {name}."
        raise NoAnswerError(message)
    return found
