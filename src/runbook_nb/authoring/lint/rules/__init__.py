"""All rules, in the order of a runbook: one function each, with its name, reason and fix."""

from typing import Final

from runbook_nb.authoring.lint.rule import Rule
from runbook_nb.authoring.lint.rules import (
    calls,
    cells,
    contacts,
    drills,
    header,
    limits,
    links,
    pair,
    parameters,
    resolution,
    safety,
    template,
)

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = tuple(
    found
    for module in (
        template,
        header,
        contacts,
        parameters,
        cells,
        calls,
        limits,
        resolution,
        links,
        safety,
        pair,
        drills,
    )
    for found in vars(module).values()
    if isinstance(found, Rule)
)
