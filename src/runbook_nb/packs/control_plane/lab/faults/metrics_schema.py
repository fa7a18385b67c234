"""Faults in the definitions of the dashboards' views, and the schema's own put back."""

import re
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.state import LabState

_SCHEMA: Final = Path(__file__).parents[1] / "schema"
_MATERIALIZED: Final = re.compile(
    r"^create materialized view (\w+) as\n.*?;$", re.MULTILINE | re.DOTALL
)
_VIEW: Final = re.compile(r"^create view (\w+) with .*?;$", re.MULTILINE | re.DOTALL)
_INDEX: Final = re.compile(r"^create unique index \w+ on (\w+) .*?;$", re.MULTILINE)
_FUNNEL: Final = "adoption_funnel_mv"
_AGENTS: Final = "agent_performance_mv"
_SUMMARY: Final = "executive_summary_mv"
# A release joins approvals instead of asking whether there is one: each mission counts again.
_DOUBLED: Final = (
    "from missions\ngroup by missions.tenant_id",
    "from missions\ngroup by missions.tenant_id".replace(
        "missions\n", "missions\nleft join mission_plays on mission_id = missions.id\n"
    ),
)
_STATUS: Final = ("missions.status = 'completed'", "missions.status::text = 'done'")
_NULLS: Final = (
    "avg(extract(epoch from missions.completed_at - missions.created_at) / 3600)",
    "avg(coalesce(extract(epoch from missions.completed_at - missions.created_at) / 3600, 0))",
)
_ZONE: Final = (
    "date_trunc('week', missions.created_at)",
    "date_trunc('week', missions.created_at, 'America/New_York')",
)
_SPELLING: Final = (
    "missions.status in ('in_progress', 'ready')",
    "(missions.status = 'ready' or missions.status = 'in_progress')",
)


def _found(pattern: re.Pattern[str], file: str) -> dict[str, str]:
    text = next(_SCHEMA.glob(file)).read_text(encoding="utf-8")
    return {match[1]: match[0] for match in pattern.finditer(text)}


def redefine(lab: LabState, view: str, change: tuple[str, str]) -> None:
    """Release a view with another definition, filled, with its index and its dashboard."""
    definition = _found(_MATERIALIZED, "20_*.sql")[view]
    if change[0] not in definition:
        message = f"The schema's {view} has no {change[0]!r}."
        raise ValueError(message)
    _make(lab, view, definition.replace(*change))


def restore_schema(lab: LabState) -> None:
    """Make the views that may differ what the schema says, and refresh them."""
    for view in (_FUNNEL, _SUMMARY, _AGENTS):
        _make(lab, view, _found(_MATERIALIZED, "20_*.sql")[view])


def _make(lab: LabState, view: str, definition: str) -> None:
    index = _found(_INDEX, "20_*.sql")[view]
    dashboard = _found(_VIEW, "21_*.sql")[view.removesuffix("_mv")]
    with superuser(lab) as connection, connection.transaction():
        connection.execute(f"DROP MATERIALIZED VIEW IF EXISTS {view} CASCADE".encode())
        for statement in (definition, index, dashboard):
            connection.execute(statement.encode())


def _fault(name: str, title: str, view: str, change: tuple[str, str]) -> Fault:
    return Fault(
        name=name,
        title=title,
        inject=lambda lab: redefine(lab, view, change),
        heal=restore_schema,
    )


FAULTS = (
    _fault(
        "figures_doubled", "The funnel joins plays and counts missions twice", _FUNNEL, _DOUBLED
    ),
    _fault(
        "figures_doubled.status_word",
        "The summary counts a status that no mission has",
        _SUMMARY,
        _STATUS,
    ),
    _fault(
        "figures_doubled.nulls_as_zero",
        "The summary takes missions without an end as done in no time",
        _SUMMARY,
        _NULLS,
    ),
    _fault(
        "figures_doubled.time_zone",
        "The funnel's weeks begin at midnight of New York",
        _FUNNEL,
        _ZONE,
    ),
    _fault(
        "view_respelled",
        "The summary is spelled otherwise and gives the same figures",
        _SUMMARY,
        _SPELLING,
    ),
)
