"""Settle what was begun: by what the systems say of it, else by a person, by nothing else.

A passing check is no proof: somebody else may have put it right.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError, StepNotFoundError, TurnTakenError
from runbook_nb.incident.known_incident import writable
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.turn import turn
from runbook_nb.probes.calls import Action
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import Attempt
from runbook_nb.timeline.events import UNDO, Sending, Settled, Settlement
from runbook_nb.timeline.writer import WritableTimeline

# A server in recovery writes no log of its own; the history is then the one that it follows.
TRANSACTION_STATUS: Final = """
select pg_xact_status(%(id)s::xid8) as status,
       case when pg_is_in_recovery()
            then lpad(upper(to_hex((pg_control_recovery()).min_recovery_end_timeline)), 8, '0')
            else left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
       end as history
"""
# A server notices within a second or two that the client of a transaction was killed.
_LOOKS: Final = 20
_LOOK_EVERY_S: Final = 0.25
_ANSWERS: Final = {"done": Settlement.DONE, "not done": Settlement.NOT_DONE}


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Settles the attempts of an incident for one run.

    ``action`` returns an action of this runbook by its title; None where it cannot be told.
    """

    live: LiveRun
    ask: Callable[[str], str]
    action: Callable[[str], Action | None]

    def settle(self, *titles: str) -> None:
        """Settle what was begun by what the systems say, then ask an attended person.

        Only attempts at these ``titles`` are asked about, or at any where none is given. What
        nobody knows stays begun. Raises TurnTakenError while another run acts.
        """
        if not self.open():
            return
        with turn(self.live.timeline, say=self.live.screen.say):
            self.by_systems()
        if not self.live.context.attended:
            return
        for attempt in self.open():
            if not titles or attempt.title in titles:
                self._by_person(attempt)

    def try_to_settle(self) -> None:
        """Settle what can be; while another run acts, what it does is not settled."""
        try:
            self.settle()
        except TurnTakenError as error:
            self.live.screen.say(str(error))

    def open(self) -> list[Attempt]:
        """Return the attempts in this environment that may be half done."""
        place = self.live.environment.name
        return queries.unsettled(queries.in_environment(self.live.timeline, place))

    def by_systems(self) -> None:
        """Settle what the systems can tell; whoever calls holds the turn."""
        for attempt in self.open():
            found = self._by_transaction(attempt) or self._by_probe(attempt)
            if found:
                outcome, evidence = found
                self._write(attempt, outcome, evidence=evidence)

    def _by_transaction(self, attempt: Attempt) -> tuple[Settlement, str] | None:
        """Ask the database for the transactions that were written down before their commit."""
        if not attempt.sending:
            if attempt.acting.contained:
                return Settlement.NOT_DONE, "Nothing had been sent when it was cut off."
            return None
        final = attempt.sending[-1]
        told = [each for each in attempt.sending if each.transaction]
        states = [self._status(each) for each in told]
        if final.last and states[-1:] == ["committed"]:
            evidence = f"Transaction {final.transaction} of {final.system} was committed."
            return Settlement.DONE, evidence
        if len(told) == len(attempt.sending) and set(states) == {"aborted"}:
            evidence = f"Transaction {final.transaction} of {final.system} was rolled back."
            return Settlement.NOT_DONE, evidence
        return None

    def _status(self, sent: Sending) -> str:
        """Return what became of a transaction, waiting a little for one in progress; "" unknown."""
        systems = self.live.environment.reading([])
        try:
            for look in range(_LOOKS):
                database = systems.database(sent.system)
                (told,) = database.rows(TRANSACTION_STATUS, id=sent.transaction)
                if told["status"] != "in progress":
                    return _believed(told["status"] or "", sent=sent.history, now=told["history"])
                if look == 0:
                    self.live.screen.say(f"A transaction of {sent.system} is still running.")
                time.sleep(_LOOK_EVERY_S)
        except Exception:  # noqa: BLE001 - who cannot ask does not know
            return ""
        finally:
            systems.close()
        return "in progress"

    def _by_probe(self, attempt: Attempt) -> tuple[Settlement, str] | None:
        """Read the action's own settling probe; for an undo, whether the effect is still there."""
        action = self.action(attempt.title)
        if action is None or action.settle is None:
            return None
        call = f"undo of {action}" if attempt.undoes else str(action)
        if not self.live.is_same_call(attempt.acting.call, call):
            return None
        asked_for = attempt.id
        if attempt.undoes:
            done = queries.done(self.live.timeline, attempt.title)
            asked_for = done.attempt if done else ""
        asked: list[str] = []
        systems = self.live.environment.reading(asked)
        try:
            effect = action.took_effect(systems, asked_for)
        except Exception:  # noqa: BLE001 - who cannot read does not know
            return None
        finally:
            systems.close()
        if effect is None:
            return None
        happened = effect is not attempt.undoes
        there = "is there" if effect else "is not there"
        evidence = f"Its settling probe read that the effect {there}. {'; '.join(asked)}".strip()
        return (Settlement.DONE if happened else Settlement.NOT_DONE), evidence

    def _by_person(self, attempt: Attempt) -> None:
        """Let the responder look and say; Enter leaves it as it is."""
        self.live.screen.card(self.live.card(attempt.acting, changed=False))
        question = (
            f"{half_done(attempt)} Look, then type 'done' or 'not done'; Enter leaves it so: "
        )
        while answer := self.ask(question).strip().casefold():
            if answer not in _ANSWERS:
                self.live.screen.say(f"{answer!r} is neither 'done' nor 'not done'.")
                continue
            because = self.ask("Say in a sentence what you saw: ").strip()
            if because:
                with turn(self.live.timeline, say=self.live.screen.say):
                    if any(each.id == attempt.id for each in self.open()):
                        self._write(attempt, _ANSWERS[answer], because=because)
                return
            self.live.screen.say("It needs a reason, for whoever reads the record.")

    def _write(
        self, attempt: Attempt, outcome: Settlement, *, evidence: str = "", because: str = ""
    ) -> None:
        settled = Settled(
            **self.live.stamp(),
            title=attempt.acting.title,
            attempt=attempt.id,
            outcome=outcome,
            call=attempt.acting.call,
            evidence=evidence,
            because=because,
        )
        self.live.screen.card(self.live.card(self.live.timeline.append(settled), changed=False))


def _believed(status: str, *, sent: str, now: str) -> str:
    """Return a status, or "" where it may be that of another transaction with the same id.

    A server that is promoted lacks what it was not sent, and gives those ids to others: one that is
    committed there may be another's. One that is aborted there was never committed before it was
    promoted. A server that is behind the history in which it was sent knows nothing of it.
    """
    if not sent or sent == now:
        return status
    return status if status == "aborted" and sent < now else ""


def half_done(attempt: Attempt) -> str:
    """Say that an attempt was begun, and that nobody saw it end."""
    begun = attempt.acting
    by = f" by {begun.by}" if begun.by else ""
    return f"{begun.title!r} was begun at {begun.at:%H:%M:%SZ}{by} and may be half done."


def how_to_settle(incident: str, attempts: Sequence[Attempt]) -> list[str]:
    """Say what may be half done, and the command that settles it, a line each."""
    command = f"runbook settle {incident}"
    ways = '--done|--not-done --because "…"'
    return [
        f'{half_done(each)} Look, then: {command} "{each.acting.title}" {ways}' for each in attempts
    ]


def settle_by_hand(
    incidents: Path, incident: str, title: str, *, outcome: Settlement, because: str, by: str
) -> Settled:
    """Write what a person saw of the newest attempt at ``title`` that nobody saw end.

    Raises ParameterError without a reason, StepNotFoundError with what is unsettled where it is
    none of that title, and TurnTakenError while somebody acts. It may come after the close.
    """
    if not because.strip():
        message = "Say with --because what you saw, for whoever reads the record."
        raise ParameterError(message)
    timeline = writable(incidents, incident)
    with turn(timeline, say=lambda _text: None, patience_s=10):
        attempt = _named(timeline, title)
        settled = Settled(
            at=datetime.now(UTC),
            by=by,
            title=attempt.acting.title,
            attempt=attempt.id,
            outcome=outcome,
            call=attempt.acting.call,
            because=because.strip(),
        )
        return timeline.append(settled)


def _named(timeline: WritableTimeline, title: str) -> Attempt:
    left = queries.unsettled(timeline)
    matching = [each for each in left if each.acting.title == title]
    if matching:
        return matching[-1]
    titles = dict.fromkeys(repr(each.acting.title) for each in left)
    known = f"Unsettled: {', '.join(titles)}." if titles else "Nothing is unsettled."
    undo = f" An undo is named {UNDO!r} and its title." if any(e.undoes for e in left) else ""
    message = f"No attempt at {title!r} is unsettled in {timeline.folder.name}. {known}{undo}"
    raise StepNotFoundError(message)
