"""A run of a runbook in this process: its plan is made of its text, and its verbs are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook_nb.errors import ParameterError
from runbook_nb.incident import Incident
from runbook_nb.incident.approval import INCIDENT_PARAMETER
from runbook_nb.incident.cards import Card
from runbook_nb.incident.context import RunContext, is_attended, new_run_id
from runbook_nb.incident.declaration import declaration_of, ran_with
from runbook_nb.incident.join import Joined
from runbook_nb.incident.known_incident import last_runbook
from runbook_nb.incident.plan import Plan
from runbook_nb.incident.screen import Screen
from runbook_nb.runbook.namespace import names_of
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.step_call import make_call
from runbook_nb.runbook.steps import Step
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Alert, Started
from runbook_nb.timeline.incidents import find, refuse_closed
from runbook_nb.timeline.log import Timeline

_HIDDEN = ("[masked", "[withheld", "[cut")


@dataclass(frozen=True, kw_only=True)
class Session:
    """One run that was begun here; ``incident`` has its verbs."""

    incident: Incident
    runbook: Runbook
    names: Mapping[str, Any]

    @classmethod
    def begin(
        cls,
        runbook: Runbook,
        *,
        incidents: Path,
        incident: str | None,
        parameters: Mapping[str, Json],
        by: str,
        screen: Screen,
        ask: Callable[[str], str],
        alerts: Sequence[Alert] = (),
        reported: str = "",
    ) -> "Session":
        """Begin a run; raises what a run raises.

        Where no incident is named it is that of the ``alerts``, or a new one. What somebody
        ``reported`` in words goes onto its timeline. Nothing is created before all that can be
        checked was checked.
        """
        declaration, values = declaration_of(runbook, parameters, by=by)
        names = names_of(runbook, values)
        timeline = declaration.declare(
            incidents,
            incident=incident,
            alert=next(iter(alerts), None),
            also=alerts[1:],
            reported=reported,
        )
        context = RunContext(
            incidents=incidents,
            incident=timeline.folder.name,
            run=new_run_id(runbook.name),
            notebook=runbook.path,
            actor=by,
            attended=is_attended({}),
        )
        begun = Incident.begin(
            context,
            Joined(timeline=timeline, runbook=runbook, environment=declaration.environment),
            parameters={name: values[name] for name in _told(runbook, values)},
            plan=Plan(runbook, names=lambda: names),
            ask=ask,
            screen=screen,
        )
        return cls(incident=begun, runbook=runbook, names=names)

    @classmethod
    def go_on(
        cls,
        incidents: Path,
        incident: str,
        *,
        parameters: Mapping[str, Json],
        by: str,
        screen: Screen,
        ask: Callable[[str], str],
    ) -> "Session":
        """Begin a run of the runbook that ran last in an incident, with the same parameters.

        Raises IncidentStateError for a closed one, and ParameterError for a parameter that was
        masked on the timeline and is not given.
        """
        timeline = find(incidents, incident)
        refuse_closed(timeline)
        runbook = last_runbook(timeline)
        return cls.begin(
            runbook,
            incidents=incidents,
            incident=incident,
            parameters=_as_before(timeline, runbook, given=parameters),
            by=by,
            screen=screen,
            ask=ask,
        )

    def run(self, step: Step) -> Card | None:
        """Run a step as its cell would; raises what its verb raises."""
        call = make_call(step, self.names)
        card: Card | None = getattr(self.incident, step.verb)(*call.positional, **call.named)
        return card


def _told(runbook: Runbook, values: Mapping[str, Json]) -> list[str]:
    """Return the parameters that the runbook's opening tells, so that approvals hold here too."""
    own = (INCIDENT_PARAMETER, "environment")
    return [
        each.name for each in runbook.parameters if each.name in values and each.name not in own
    ]


def _as_before(
    timeline: Timeline, runbook: Runbook, *, given: Mapping[str, Json]
) -> dict[str, Json]:
    before = ran_with(timeline.last(Started, runbook=runbook.name), runbook)
    for name, value in before.items():
        if name not in given and any(mark in str(value) for mark in _HIDDEN):
            message = (
                f"The parameter {name!r} of the last run is masked on the timeline. Give it again: "
                f"-p {name}=…"
            )
            raise ParameterError(message)
    return {**before, **given}
