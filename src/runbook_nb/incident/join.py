"""Join an incident with a runbook: open it if it is new, and say that a run began."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from runbook_nb.incident.approval import parameters_digest
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.declaration import Declaration
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.executable import demand_verbs_only
from runbook_nb.runbook.pack_code import loaded_code
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Started
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store.chain import Claim
from runbook_nb.timeline.writer import WritableTimeline


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What a run works with: the timeline, the runbook's text, and the environment."""

    timeline: WritableTimeline
    runbook: Runbook
    environment: Environment


def join(context: RunContext, *, environment: str) -> Joined:
    """Open the incident, or join it if it is open; raises IncidentStateError when closed.

    Where nobody watches, the text may hold verbs only, whatever runs it: RunbookFormatError.
    """
    if not context.attended:
        demand_verbs_only(Document.read(context.notebook))
    runbook = Runbook.read(context.notebook)
    declaration = Declaration.of(runbook, environment=environment, by=context.actor)
    timeline = declaration.declare(context.incidents, incident=context.incident)
    return Joined(timeline=timeline, runbook=runbook, environment=declaration.environment)


def started(context: RunContext, joined: Joined, *, parameters: Mapping[str, Json]) -> Started:
    """Return the event that a run began, with what a reviewer needs to run it again."""
    claim = Claim.here()
    return Started(
        at=datetime.now(UTC),
        run=context.run,
        by=context.actor,
        runbook=joined.runbook.name,
        runbook_digest=joined.runbook.digest,
        environment=joined.environment.name,
        parameters=dict(parameters),
        attended=context.attended,
        notebook=context.notebook.name,
        production=joined.environment.is_production,
        versions={"python": sys.version.split()[0], "runbook_nb": version("runbook_nb")},
        parameters_digest=parameters_digest(parameters, environment=joined.environment.name),
        code=loaded_code(joined.runbook),
        order=claim.order,
        attempt=claim.attempt,
    )


def is_known(timeline: Timeline, began: Started) -> bool:
    """Tell whether this very run has begun already: its first cell was run again."""
    before = timeline.last(Started, run=began.run)
    if before is None:
        return False
    # Parameters are compared by their digest: on the timeline, a part of them may be masked.
    return replace(began, at=before.at, parameters=before.parameters) == before
