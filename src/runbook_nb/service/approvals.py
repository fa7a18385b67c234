"""Approvals from a page: what is asked, the statement that a passkey signs, and its yes."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import rfc8785

from runbook_nb.errors import ApprovalError, ApprovalWaitsError, RunbookError
from runbook_nb.incident.approval import draft, parameters_digest, put
from runbook_nb.incident.board import board_of
from runbook_nb.incident.board.status import next_command, unapproved
from runbook_nb.incident.declaration import ran_with
from runbook_nb.incident.known_incident import last_runbook
from runbook_nb.incident.statement import signer, statement_of
from runbook_nb.runbook.names import demand_plain_person
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.passkeys import LOCAL_HOST, Passkey, challenge_of, decoded, encoded, written
from runbook_nb.runbook.people import Person, read_people, tidy_name
from runbook_nb.runbook.policy import policy_for
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.run import LastRun, last_run
from runbook_nb.service.orders import Orders
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Acted, Approved, Event, Outcome
from runbook_nb.timeline.incidents import find, refuse_closed
from runbook_nb.timeline.store.database import connected

_ANSWER_WITHIN_S: Final = 300  # from the statement to the yes
_AT_MOST: Final = 200  # statements that wait for one
_LEFT: Final = (Outcome.REHEARSED, Outcome.DECLINED)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be approved: an option, the events that speak of it, and whose keys count here.

    ``keys`` are names by the fingerprints of passkeys. ``command`` does the same in a terminal.
    ``basis`` is the digest of all that is approved: what is signed later must have the same.
    """

    incident: str
    option: str
    production: str
    environment: str
    events: tuple[Event, ...]
    keys: Mapping[str, str]
    command: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """A statement that waits for its signature."""

    given: Approved
    last: LastRun
    runbook: Runbook
    passkey: Passkey
    until: float


class Approvals:
    """Takes the yes of people with passkeys to what the last run of an incident rehearsed."""

    def __init__(self, settings: ServiceSettings, incidents: Path) -> None:
        self._settings, self._incidents = settings, incidents
        self._drawn: dict[str, _Drawn] = {}
        self._lock = Lock()

    @property
    def host(self) -> str:
        """The name of the host that passkeys are made for."""
        return urlsplit(self._settings.page).hostname or LOCAL_HOST

    def asked(self, incident: str) -> Asked:
        """Return what waits for a yes.

        Raises IncidentStateError where there is no such incident or it is closed. Raises
        ApprovalWaitsError while a run that may find something else goes on, and ApprovalError where
        nothing waits, or the last run has not rehearsed what does: nobody has seen it then.
        """
        timeline = find(self._incidents, incident)
        refuse_closed(timeline)
        runbook = last_runbook(timeline)
        board = board_of(timeline, runbook, now=datetime.now(UTC))
        option = unapproved(board)
        if not option or board.decided is None:
            message = f"Nothing in {incident} waits for a yes. Look at its board."
            raise ApprovalError(message)
        self._refuse_while_it_runs(incident, runbook.name)
        steps = [step.event for step in board.steps if step.option == option]
        left = [each for each in steps if isinstance(each, Acted) and each.outcome in _LEFT]
        last = last_run(self._incidents, incident, option=option)
        if any(each.run != last.started.run for each in left):
            message = f"The last run has not rehearsed {option!r}. Run {runbook.name} again first."
            raise ApprovalError(message)
        return Asked(
            incident=incident,
            option=option,
            production=board.environment if board.production else "",
            environment=board.environment,
            events=(board.decided, *left, *board.approvals),
            keys={key.fingerprint: person.name for person, key in self._passkeys()},
            command=next_command(board),
            basis=_basis(last),
        )

    def statement(self, incident: str, *, key: str, basis: str) -> dict[str, Any]:
        """Return what a browser asks its device to sign; ``key`` is a fingerprint.

        Raises what ``asked`` raises, and ApprovalError for a key that nobody who may approve has,
        and where the page was drawn on another ``basis``.
        """
        asked = self.asked(incident)
        found = [(who, each) for who, each in self._passkeys() if each.fingerprint == key]
        if not found:
            message = f"Nobody who may approve has the key {key} for {self.host}."
            raise ApprovalError(message)
        (person, passkey), *_ = found
        last = last_run(self._incidents, incident, option=asked.option)
        if _basis(last) != basis:
            message = "Something else is to be done since this page was drawn. Load it again."
            raise ApprovalError(message)
        demand_plain_person(person.name, last.timeline.redactor)
        given = draft(last.timeline, last.approvable, by=person.name, key=str(passkey))
        token = secrets.token_urlsafe(24)
        until = time.monotonic() + _ANSWER_WITHIN_S
        drawn = _Drawn(
            given=given,
            last=last,
            runbook=Runbook.find(last.started.runbook),
            passkey=passkey,
            until=until,
        )
        with self._lock:
            self._forget_old()
            self._drawn[token] = drawn
        return {
            "token": token,
            "publicKey": {
                "challenge": encoded(challenge_of(statement_of(given))),
                "rpId": passkey.host,
                "allowCredentials": [{"type": "public-key", "id": passkey.credential}],
                "userVerification": "required",
                "timeout": _ANSWER_WITHIN_S * 1000,
            },
        }

    def take(self, incident: str, *, token: str, assertion: Any) -> dict[str, Any]:
        """Write a signed yes, and order the run that acts on it; ``assertion`` is the browser's.

        Raises ApprovalError for a signature that does not fit, or a statement that nobody waits
        for any more.
        """
        with self._lock:
            self._forget_old()
            drawn = self._drawn.pop(token, None)
        if drawn is None or drawn.given.incident != incident:
            message = "This statement is not waited for any more. Load the page again."
            raise ApprovalError(message)
        given = replace(drawn.given, signature=written(assertion))
        if signer(given) != drawn.passkey.fingerprint:
            message = "The signature does not fit what was to be approved. Load the page again."
            raise ApprovalError(message)
        self._refuse_while_it_runs(incident, drawn.runbook.name)
        put(drawn.last.timeline, given)
        order = self._order(drawn)
        said = f"{given.by} approved {given.option!r} until {given.expires_at:%H:%M:%SZ}. "
        if order:
            return {"said": f"{said}It is done now, as order {order}.", "order": order}
        command = f"runbook run {drawn.runbook.name} --incident {incident}"
        return {"said": f"{said}Have it done with the same parameters: {command}", "order": ""}

    def table_of(self, name: str, registration: dict[str, Any]) -> dict[str, Any]:
        """Return what has to stand in the project's file for a passkey that was made just now.

        Raises ApprovalError where the browser's answer is none.
        """
        from webauthn import verify_registration_response
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            client = json.loads(decoded(registration["response"]["clientDataJSON"]))
            # Nothing follows from it but a text to be reviewed, so any challenge will do.
            made = verify_registration_response(
                credential=registration,
                expected_challenge=decoded(client["challenge"]),
                expected_rp_id=self.host,
                expected_origin=client["origin"],
                require_user_verification=True,
            )
        except WebAuthnException as error:
            message = f"The browser's answer is no passkey for {self.host}: {error}."
            raise ApprovalError(message) from error
        passkey = Passkey(
            host=self.host,
            credential=encoded(made.credential_id),
            public=encoded(made.credential_public_key),
        )
        owner = json.dumps(tidy_name(name), ensure_ascii=False)
        table = f'[people.{owner}]\nkeys = ["{passkey}"]\nmay = ["approve"]'
        return {"table": table, "fingerprint": passkey.fingerprint}

    def _passkeys(self) -> list[tuple[Person, Passkey]]:
        """Return whose passkeys count here, by the names of their owners."""
        # Read anew each time: somebody may have been added, or have lost a device.
        able = [each for each in read_people().persons if each.may_approve]
        return [
            (each, key)
            for each in sorted(able, key=lambda one: one.name)
            for key in each.passkeys
            if key.host == self.host
        ]

    def _refuse_while_it_runs(self, incident: str, runbook: str) -> None:
        with connected(self._settings.store.address()) as connection:
            live = Orders(connection).running(incident, runbook)
        if live:
            message = f"A run of {runbook} goes on as {live}, and may find something else. Wait."
            raise ApprovalWaitsError(message)

    def _order(self, drawn: _Drawn) -> str:
        """Order the run that acts; empty where what the last one was given is not known here."""
        started = drawn.last.started
        with connected(self._settings.store.address()) as connection:
            orders = Orders(connection)
            # What was masked on the timeline stands in the order, where there was one.
            ordered = orders.parameters_of(drawn.given.incident, drawn.runbook.name)
            known = (ran_with(started, drawn.runbook), ordered or {})
            parameters = next((each for each in known if _is_approved(each, drawn)), None)
            if parameters is None:
                return ""
            order, _ = orders.place(
                incident=drawn.given.incident,
                runbook=drawn.runbook.name,
                environment=started.environment,
                parameters=parameters,
                cause=f"the approval by {drawn.given.by}",
                priority=policy_for(drawn.runbook).urgency(str(drawn.runbook.front["severity"])),
            )
            return order

    def _forget_old(self) -> None:
        now = time.monotonic()
        for token in [token for token, each in self._drawn.items() if each.until < now]:
            del self._drawn[token]
        while len(self._drawn) >= _AT_MOST:
            del self._drawn[next(iter(self._drawn))]


def _basis(last: LastRun) -> str:
    """Return the digest of what a yes to an option of the last run says yes to."""
    stated = {**asdict(last.approvable), "run": last.started.run}
    return hashlib.sha256(rfc8785.dumps(stated)).hexdigest()


def _is_approved(parameters: Mapping[str, Json], drawn: _Drawn) -> bool:
    """Tell whether a run with these parameters is the one that was approved."""
    try:
        values = typed(drawn.runbook, parameters)
    except RunbookError:
        return False
    environment = drawn.last.started.environment
    same_place = drawn.runbook.environment(values) == environment
    digest = parameters_digest(values, environment=environment)
    return same_place and digest == drawn.given.parameters
