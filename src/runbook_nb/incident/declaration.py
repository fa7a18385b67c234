"""Declare an incident for a run: all that can be checked is checked before anything is created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.executable import demand_verbs_only
from runbook_nb.runbook.names import demand_plain_names, demand_plain_person
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.policy import policy_for
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.formatting import one_line
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Alert, Reported, Started
from runbook_nb.timeline.folder import checked_id
from runbook_nb.timeline.incidents import declare
from runbook_nb.timeline.writer import WritableTimeline


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A runbook that somebody runs in an environment, with names that stay as they are given."""

    runbook: Runbook
    environment: Environment
    redactor: Redactor
    by: str

    @classmethod
    def of(cls, runbook: Runbook, *, environment: str, by: str) -> "Declaration":
        """Check names and settings.

        Raises ParameterError, RunbookFormatError or SettingMissingError.
        """
        place = Environment.load(environment)
        redactor = place.redactor(allowed=runbook.contacts)
        demand_plain_names(runbook, redactor)
        demand_plain_person(by, redactor)
        return cls(runbook=runbook, environment=place, redactor=redactor, by=by)

    def declare(
        self,
        incidents: Path,
        *,
        incident: str | None,
        alert: Alert | None = None,
        also: Sequence[Alert] = (),
        reported: str = "",
    ) -> WritableTimeline:
        """Open the incident, or join it; None joins that of the alert, or opens a new one.

        What somebody ``reported`` in words is written down, and names an incident that is opened.
        Raises IncidentStateError for a closed one, and ParameterError for an id that is none.
        """
        words = reported.strip()
        timeline = declare(
            incidents,
            incident=incident if incident is None else checked_id(incident),
            title=one_line(words or (alert.summary if alert else "") or self.runbook.title),
            severity=str(self.runbook.front["severity"]),
            runbook=self.runbook.name,
            environment=self.environment.name,
            by=self.by,
            alert=alert,
            also=also,
            redactor=self.redactor,
            terms=policy_for(self.runbook).terms,
        )
        if words:
            timeline.append(Reported(at=datetime.now(UTC), by=self.by, words=words))
        return timeline


def declaration_of(
    runbook: Runbook, parameters: Mapping[str, Json], *, by: str
) -> tuple[Declaration, dict[str, Json]]:
    """Check a run that is asked for; returns it with all its parameters, in their types.

    Raises RunbookFormatError where its text holds more than verbs, and what ``of`` raises.
    """
    demand_verbs_only(Document.read(runbook.path))
    values = typed(runbook, parameters)
    return Declaration.of(runbook, environment=runbook.environment(values), by=by), values


def ran_with(started: Started | None, runbook: Runbook) -> dict[str, Json]:
    """Return the parameters of a run that the runbook still knows; none of no run."""
    known = {parameter.name for parameter in runbook.parameters}
    told = {**started.parameters, "environment": started.environment} if started else {}
    return {name: value for name, value in told.items() if name in known}
