"""What an organisation decided about its runbooks and incidents: ``organisation.toml``.

It stands beside the runbooks. A folder without it has severities, and no groups, clocks, channels
or people.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.runbook import ARCHIVED, Runbook
from runbook_nb.text.toml_table import TomlTable
from runbook_nb.timeline.events import SeverityTerms, Terms

ORGANISATION: Final = "organisation.toml"
# What most organisations ask for, and what holds where nobody decided otherwise.
REVIEW_DAYS: Final = 90
# A timeline keeps lists of this length whole; more than that nobody tells apart either.
_MOST: Final = 50
_MOST_RUNBOOKS: Final = 1000
_MOST_MINUTES: Final = 60 * 24 * 365
_MOST_DAYS: Final = 3650


@dataclass(frozen=True, kw_only=True)
class SeverityPolicy:
    """One severity: what it means, its clocks, and how many days a proof of its runbooks holds.

    One that is ``planned`` is no incident but work with a date, such as maintenance.
    """

    name: str
    means: str = ""
    update_every: timedelta | None = None
    escalate_after: timedelta | None = None
    review_days: int = REVIEW_DAYS
    planned: bool = False


@dataclass(frozen=True, kw_only=True)
class PlannedRunbook:
    """A runbook that the organisation wants, written yet or not, and the failure it answers."""

    name: str
    group: str
    scenario: str


DEFAULT_SEVERITIES: Final = (
    *(SeverityPolicy(name=f"SEV{level}") for level in (1, 2, 3, 4)),
    SeverityPolicy(name="Maintenance", planned=True),
)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Groups, planned runbooks, severities (worst first), clocks, channels, and who is called.

    ``next_level`` are the roles that an incident is escalated to. ``triage`` is the runbook for a
    report that leads to none clearly, empty for none. ``problem`` says why a file that is there
    decided nothing.
    """

    severities: tuple[SeverityPolicy, ...] = DEFAULT_SEVERITIES
    groups: tuple[str, ...] = ()
    planned: tuple[PlannedRunbook, ...] = ()
    review_days: int = REVIEW_DAYS
    update_channel: str = ""
    closing_channel: str = ""
    next_level: tuple[str, ...] = ()
    triage: str = ""
    problem: str = ""

    @property
    def severity_names(self) -> tuple[str, ...]:
        """The names of the severities, worst first."""
        return tuple(severity.name for severity in self.severities)

    @property
    def planned_names(self) -> tuple[str, ...]:
        """The names of the planned runbooks, as the file orders them."""
        return tuple(runbook.name for runbook in self.planned)

    def severity(self, name: str) -> SeverityPolicy | None:
        """Return what was decided about a severity; None for one that the policy does not have."""
        return next((each for each in self.severities if each.name == name), None)

    def urgency(self, severity: str) -> int:
        """Return how many severities are less bad than this one; 0 for one that nobody knows."""
        names = self.severity_names
        return len(names) - 1 - names.index(severity) if severity in names else 0

    def review_period(self, severity: str) -> int:
        """Return for how many days a proof holds of a runbook of this severity."""
        known = self.severity(severity)
        return known.review_days if known else self.review_days

    @property
    def terms(self) -> Terms:
        """What an incident's timeline is to say of this policy."""
        return Terms(
            severities=tuple(
                SeverityTerms(
                    name=each.name,
                    update_every_s=_seconds(each.update_every),
                    escalate_after_s=_seconds(each.escalate_after),
                )
                for each in self.severities
            ),
            next_level=self.next_level,
            update_channel=self.update_channel,
            closing_channel=self.closing_channel,
            problem=self.problem,
        )


def read_policy(folder: Path) -> Policy:
    """Read the policy of a folder of runbooks; the defaults where there is none.

    Raises ParameterError with file and key for one that cannot be read.
    """
    try:
        top = TomlTable.read(folder / ORGANISATION)
    except FileNotFoundError:
        return Policy()
    top.only(("review_days", "triage", "severity", "channels", "escalation", "group"))
    channels, escalation = top.table("channels"), top.table("escalation")
    channels.only(("updates", "closing"))
    escalation.only(("next_level",))
    review_days = top.count("review_days", most=_MOST_DAYS) or REVIEW_DAYS
    groups = top.tables("group", most=_MOST)
    planned = [runbook for group in groups for runbook in _planned(group)]
    _demand_once(top, "runbook", [runbook.name for runbook in planned])
    next_level = escalation.texts("next_level")
    if len(next_level) > _MOST:
        escalation.refuse("next_level", f"it names {len(next_level)}; {_MOST} are allowed")
    return Policy(
        severities=_severities(top, review_days),
        groups=_demand_once(top, "group", [group.text("name") for group in groups]),
        planned=tuple(planned),
        review_days=review_days,
        update_channel=channels.text("updates", ""),
        closing_channel=channels.text("closing", ""),
        next_level=next_level,
        triage=top.text("triage", ""),
    )


def policy_or_default(folder: Path) -> Policy:
    """Read the policy, or the defaults with the problem of the file: an alert does not wait."""
    try:
        return read_policy(folder)
    except ParameterError as error:
        return Policy(problem=str(error))


def policy_for(runbook: Runbook) -> Policy:
    """Return the policy beside a runbook, retired or not; never raises for a wrong file."""
    folder = runbook.path.parent
    return policy_or_default(folder.parent if folder.name == ARCHIVED else folder)


def _severities(top: TomlTable, review_days: int) -> tuple[SeverityPolicy, ...]:
    tables = top.tables("severity", most=_MOST)
    if not tables:
        return tuple(replace(each, review_days=review_days) for each in DEFAULT_SEVERITIES)
    _demand_once(top, "severity", [table.text("name") for table in tables])
    return tuple(_severity(table, review_days) for table in tables)


def _severity(table: TomlTable, review_days: int) -> SeverityPolicy:
    keys = ("name", "means", "update_every_min", "escalate_after_min", "review_days", "planned")
    table.only(keys)
    return SeverityPolicy(
        name=table.text("name"),
        means=table.text("means", ""),
        update_every=_minutes(table, "update_every_min"),
        escalate_after=_minutes(table, "escalate_after_min"),
        review_days=table.count("review_days", most=_MOST_DAYS) or review_days,
        planned=table.flag("planned"),
    )


def _planned(group: TomlTable) -> list[PlannedRunbook]:
    group.only(("name", "runbook"))
    tables = group.tables("runbook", most=_MOST_RUNBOOKS)
    for table in tables:
        table.only(("name", "scenario"))
    return [
        PlannedRunbook(
            name=table.text("name"), group=group.text("name"), scenario=table.text("scenario", "")
        )
        for table in tables
    ]


def _demand_once(top: TomlTable, key: str, names: list[str]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            top.refuse(key, f"{name!r} is named twice; take one of them out")
    return tuple(names)


def _minutes(table: TomlTable, key: str) -> timedelta | None:
    found = table.number(key, most=_MOST_MINUTES)
    return timedelta(minutes=found) if found else None


def _seconds(duration: timedelta | None) -> float | None:
    return duration.total_seconds() if duration else None
