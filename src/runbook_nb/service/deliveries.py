"""Deliveries: what a sender of alerts sent, kept as it came, and each of its alerts answered once.

A message is kept raw before it is understood, so that nothing is lost by what it says. Each alert
in it is answered by itself, in the order of their fingerprints: it opens or joins an incident and
orders a run, or ends an alert, or is named as unanswered.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import ParameterError, RunbookError, StoreUnavailableError
from runbook_nb.incident.declaration import declaration_of
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.policy import policy_for
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.delivery import note_one_cleared
from runbook_nb.service.orders import Orders
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.sources import SOURCES
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.events import Alert
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.tail import is_closed

if TYPE_CHECKING:
    import psycopg

BY: Final = "runbook serve"
_OUTCOME_LIMIT: Final = 4_000  # characters
# A message that is sent again after a while says that its alerts go on.
KEEP: Final = """
insert into runbook.delivery (source, digest, body) values (%(source)s, %(digest)s, %(body)s)
on conflict (source, digest) do update
set times = delivery.times + 1, last_at = clock_timestamp(),
    taken_at = case when delivery.taken_at < clock_timestamp() - make_interval(secs => %(again)s)
                    then null else delivery.taken_at end
returning id, taken_at is null as waits
"""
_WAITING: Final = """
select id from runbook.delivery
where taken_at is null and last_at < clock_timestamp() - make_interval(secs => %(older_s)s)
  and (taking_at is null or taking_at < clock_timestamp() - interval '1 minute')
order by id limit 100
"""
# Whoever began and says nothing for a minute has died.
_TAKE: Final = """
update runbook.delivery set taking_at = clock_timestamp()
where id = %(delivery)s and taken_at is null
  and (taking_at is null or taking_at < clock_timestamp() - interval '1 minute')
returning source, body
"""
_TAKEN: Final = """
update runbook.delivery set taken_at = clock_timestamp(), taking_at = null, outcome = %(outcome)s
where id = %(delivery)s
"""
# Two deliveries of one alert wait for each other: one alert at a time, so never in a ring.
_TAKE_TURN: Final = "select pg_advisory_xact_lock(hashtextextended('runbook alert ' || %s, 0))"
_SEEN: Final = """
update runbook.sighting set times = times + 1, last_at = clock_timestamp()
where source = %(source)s and key = %(key)s
returning incident
"""
_SIGHT: Final = """
insert into runbook.sighting (source, key, incident) values (%(source)s, %(key)s, %(incident)s)
on conflict (source, key) do update set incident = excluded.incident
"""
_RAN_LATELY: Final = """
select count(*) as orders from runbook.orders
where incident = %(incident)s and runbook = %(runbook)s
  and (state in ('queued', 'running')
       or ended_at > clock_timestamp() - make_interval(secs => %(again)s))
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a delivery: the orders to work, and a sentence for each alert."""

    orders: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def kept_as(source: str, body: bytes, *, again_after_s: float) -> dict[str, object]:
    """Return what ``KEEP`` binds for a message."""
    digest = hashlib.sha256(body).hexdigest()
    return {"source": source, "digest": digest, "body": body, "again": again_after_s}


class Deliveries:
    """Takes kept messages in; a connection is one thread's."""

    def __init__(
        self,
        connection: "psycopg.Connection[dict[str, Any]]",
        settings: ServiceSettings,
        incidents: Path,
    ) -> None:
        self._connection, self._settings, self._incidents = connection, settings, incidents
        self._orders = Orders(connection)

    def waiting(self, *, older_s: float) -> list[int]:
        """Return the messages that nobody has taken in for so many seconds, oldest first."""
        rows = self._connection.execute(_WAITING, {"older_s": older_s}).fetchall()
        return [int(row["id"]) for row in rows]

    def take_in(self, delivery: int) -> Answer:
        """Answer every alert of a kept message; there is no answer while somebody else does so.

        Whatever dies on the way, the same message can be taken in again: an alert that was answered
        is known by its episode.
        """
        held = self._connection.execute(_TAKE, {"delivery": delivery}).fetchone()
        if held is None:
            return Answer()
        orders, said = list[str](), list[str]()
        for alert, fires, sentence in _alerts_of(held["source"], bytes(held["body"])):
            if alert is None:
                said.append(sentence)
                continue
            with self._connection.transaction():
                self._connection.execute(_TAKE_TURN, [alert.fingerprint])
                placed, words = self._answer(str(held["source"]), alert, fires=fires)
            orders += placed
            said.append(f"{alert.name}: {words}")
        masked = Redactor().mask("\n".join(said))[:_OUTCOME_LIMIT]
        self._connection.execute(_TAKEN, {"delivery": delivery, "outcome": masked})
        return Answer(orders=tuple(orders), said=tuple(masked.splitlines()))

    def _answer(self, source: str, alert: Alert, *, fires: bool) -> tuple[list[str], str]:
        """Answer one alert; return the orders that it placed, and what became of it."""
        try:
            environment = self._environment_of(alert)
            if not fires:
                return [], self._clear(environment, alert)
            return self._fire(source, Runbook.for_alert(alert), environment, alert)
        except StoreUnavailableError:
            raise
        except (RunbookError, ValueError, TypeError, KeyError, AttributeError) as error:
            # What cannot be answered now cannot be later either; a full disk or a lost store can.
            return [], f"unanswered: {one_line(error, 400)}"

    def _environment_of(self, alert: Alert) -> str:
        label, default = self._settings.label, self._settings.environment
        if name := alert.labels.get(label, "").strip() or default:
            return name
        message = (
            f"it has no label {label!r}, so nobody knows which environment is meant. Have the "
            "sender add it, or name one for all: [serve.environments] default"
        )
        raise ParameterError(message)

    def _fire(
        self, source: str, runbook: Runbook, environment: str, alert: Alert
    ) -> tuple[list[str], str]:
        began = alert.starts_at.isoformat() if alert.starts_at else "-"
        key = {"source": source, "key": f"{alert.fingerprint} {began} {environment}"}
        seen = self._connection.execute(_SEEN, key).fetchone()
        incident = str(seen["incident"]) if seen else ""
        parameters = {"environment": environment}
        if not incident or self._is_over(incident):
            declaration, _values = declaration_of(runbook, parameters, by=BY)
            timeline = declaration.declare(self._incidents, incident=None, alert=alert)
            incident = timeline.folder.name
            self._connection.execute(_SIGHT, {**key, "incident": incident})
        elif self._ran_lately(incident, runbook):
            return [], f"seen before, in {incident}"
        order, is_new = self._orders.place(
            incident=incident,
            runbook=runbook.name,
            environment=environment,
            parameters=parameters,
            cause=alert.name,
            priority=policy_for(runbook).urgency(str(runbook.front["severity"])),
        )
        return [order], f"{incident}, order {order}{'' if is_new else ', which was placed before'}"

    def _ran_lately(self, incident: str, runbook: Runbook) -> bool:
        again = self._settings.again_after_s
        values = {"incident": incident, "runbook": runbook.name, "again": again}
        found = self._connection.execute(_RAN_LATELY, values).fetchone()
        return bool(found and found["orders"])

    def _clear(self, environment: str, alert: Alert) -> str:
        given = {"environment": environment}
        known = note_one_cleared(alert, incidents=self._incidents, parameters=given, by=BY)
        return f"resolved, noted in {known}" if known else "resolved, and it has no open incident"

    def _is_over(self, incident: str) -> bool:
        """Tell whether an incident was closed, or is gone."""
        folder = IncidentsFolder(self._incidents).incident(incident)
        Timeline(folder.timeline).refresh()
        return not folder.is_incident or is_closed(folder.timeline)


def _alerts_of(source: str, body: bytes) -> Iterable[tuple[Alert | None, bool, str]]:
    """Return each alert of a message and whether it fires; a sentence for what is none."""
    try:
        found = SOURCES[source].read(json.loads(body))
    except (ValueError, TypeError, RecursionError) as error:
        return [(None, False, f"Not understood: {one_line(error, 200) or type(error).__name__}.")]
    named: list[tuple[Alert | None, bool, str]] = [
        (alert, fires, "")
        for fires, alerts in ((False, found.cleared), (True, found.firing))
        for alert in sorted(alerts, key=lambda each: each.fingerprint)
    ]
    problems = [(None, False, problem) for problem in found.problems]
    return [*named, *problems] or [(None, False, "No alert in it begins or ends.")]
