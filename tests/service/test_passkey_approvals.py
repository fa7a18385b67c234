"""A yes from a page: only who may approve gives one, for what waits, once, and never by a look."""

import base64
import json
import re
import secrets
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from running_service import HOSTILE, RUNBOOK

from runbook_nb.incident.declaration import declaration_of
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.service.findings import notice_of
from runbook_nb.timeline.events import Acted, Acting, Approved, Noted, Outcome
from runbook_nb.timeline.store.database import connected
from runbook_nb.timeline.store.embedded.processes import wait_until
from signers import PRESENT, Device

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def kinds(team, incident, kind):
    return [event for event in team.told(incident) if isinstance(event, kind)]


@pytest.fixture
def ada():
    return Device(host="localhost", origin="http://localhost:8765")


@pytest.fixture
def waiting(signed, team, ada):
    """An incident whose option waits for a yes, and the address of that."""
    approver = f'keys = ["{ada.passkey}"]\nmay = ["approve"]'
    bob = f'[people.bob]\nkeys = ["{Device(host="localhost").passkey}"]'
    file = team.root / "runbook.toml"
    file.write_text(f'{file.read_text()}\n[people."ada@company.com"]\n{approver}\n{bob}\n')
    signed.send(HOSTILE)
    assert wait_until(lambda: signed.orders("done"), within_s=60)
    incident = signed.orders("done")[0].incident
    return incident, f"{signed.url}/incidents/{incident}/approve"


def basis_of(address):
    """Return what the page says that it was drawn on; empty where there is no such page."""
    found = re.search(r'data-basis="(\w+)"', httpx.get(address).text)
    return found[1] if found else ""


def asked(address, key, basis=None):
    told = {"key": key, "basis": basis_of(address) if basis is None else basis}
    return httpx.post(f"{address}/statement", json=told)


def signed_by(device, told, **said):
    challenge = told["publicKey"]["challenge"]
    raw = base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
    return {"token": told["token"], "assertion": device.assertion(raw, **said)}


def test_a_yes_is_written_once_and_acted_on_once(signed, team, ada, waiting):
    """With the parameters of the run that rehearsed it."""
    incident, address = waiting
    (order,) = signed.orders("done")
    page = replace(team.settings, page="https://runbooks.example.com")
    message = notice_of(order, team.incidents, page)
    assert message.title.startswith(f"{incident}, SEV2 in lab: ")
    assert "Fails: Workers: 0 workers, expected at least 1 workers." in message.lines
    assert "Recommended: Option A: Start a worker. It waits for a yes." in message.lines
    assert "Risk of Start a worker: Jobs run again at once, all that waited first." in message.lines
    assert message.link == f"https://runbooks.example.com/incidents/{incident}/approve"
    told = asked(address, ada.passkey.fingerprint).json()
    answer = signed_by(ada, told)

    given = httpx.post(address, json=answer)
    assert given.status_code == 200, given.text
    assert "ada@company.com approved 'Option A: Start a worker'" in given.json()["said"]
    again = httpx.post(address, json=answer)
    assert (again.status_code, "not waited for" in again.text) == (403, True)
    done = lambda: [each.outcome for each in kinds(team, incident, Acted)]  # noqa: E731
    assert wait_until(lambda: Outcome.DONE in done(), within_s=60)
    assert len(kinds(team, incident, Acting)) == 1
    assert len(kinds(team, incident, Approved)) == 1
    assert wait_until(lambda: len(signed.orders("done")) == 2, within_s=60)
    lines = notice_of(order, team.incidents, page).lines
    assert "Done: Start a worker." in lines
    # What was verified fails no more, though its check did.
    assert not [line for line in lines if line.startswith(("Recommended", "Fails: Workers"))]
    # What is done waits for no yes any more.
    assert httpx.get(address).status_code == 409
    assert asked(address, ada.passkey.fingerprint).status_code == 403


def test_what_is_forged_is_no_yes(signed, team, ada, waiting):
    """Another device, an owner who was not asked, another statement, a stranger, a look."""
    incident, address = waiting
    key = ada.passkey.fingerprint
    stranger = Device(host="localhost", origin=ada.origin)
    for forged in (
        lambda told: signed_by(stranger, told),
        lambda told: {**signed_by(ada, told), "token": secrets.token_urlsafe(24)},
        lambda told: {**signed_by(ada, told), "assertion": ada.assertion(b"another" * 4)},
        lambda told: signed_by(ada, told, kind="webauthn.create"),
    ):
        answer = httpx.post(address, json=forged(asked(address, key).json()))
        assert answer.status_code == 403, answer.text
    ada.flags = PRESENT
    unasked = signed_by(ada, asked(address, key).json())
    assert httpx.post(address, json=unasked).status_code == 403
    for nobody in (stranger.passkey.fingerprint, "SHA256:x", ""):
        assert asked(address, nobody).status_code == 403
    for page in ("", "/statement"):
        assert httpx.get(f"{address}{page}").status_code in (200, 405)
    assert kinds(team, incident, Approved) == []
    assert kinds(team, incident, Acting) == []


def test_only_a_page_of_ours_is_answered(signed, waiting, ada):
    """Neither a form of another site, nor a foreign name that points at this machine."""
    incident, address = waiting
    told = json.dumps({"key": ada.passkey.fingerprint, "basis": basis_of(address)})
    statement = f"{address}/statement"
    as_form = httpx.post(statement, content=told, headers={"content-type": "text/plain"})
    assert as_form.status_code == 403
    from_afar = {"content-type": "application/json", "sec-fetch-site": "cross-site"}
    assert httpx.post(statement, content=told, headers=from_afar).status_code == 403
    rebound = httpx.get(signed.url, headers={"host": "evil.test"})
    assert (rebound.status_code, incident in rebound.text) == (421, False)
    assert httpx.get(f"{signed.url}/incidents/INC-9").status_code == 404
    assert httpx.get(f"{signed.url}/incidents/..%2F..%2Fetc").status_code == 404
    for odd in (b"", b"[]", b"{}", b"[" * 5000, b'"x"'):
        headers = {"content-type": "application/json"}
        assert httpx.post(statement, content=odd, headers=headers).status_code == 400
    large = httpx.post(
        statement, content=b" " * 70_000, headers={"content-type": "application/json"}
    )
    assert large.status_code == 413
    page = httpx.get(signed.url)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_what_was_read_is_what_is_signed(signed, team, ada, waiting):
    """After another run, the page has to be read again, whatever that found."""
    incident, address = waiting
    before = basis_of(address)
    typed = [*RUNBOOK, "run", "queue_backlog", "--incident", incident]
    subprocess.run(typed, cwd=team.root, check=False, stdout=subprocess.DEVNULL)
    stale = asked(address, ada.passkey.fingerprint, before)
    assert (stale.status_code, "Load it again" in stale.text) == (403, True)
    told = asked(address, ada.passkey.fingerprint)
    assert told.status_code == 200
    # A run by hand is done again with what it was given, though no order was of it.
    with connected(team.dsn) as connection:
        connection.execute("delete from runbook.orders")
    given = httpx.post(address, json=signed_by(ada, told.json())).json()
    (order,) = signed.orders("queued", "running", "done")
    assert (order.id, order.parameters["environment"]) == (given["order"], "lab")
    assert wait_until(lambda: kinds(team, incident, Acting), within_s=60)


def test_while_a_run_goes_on_nothing_is_approved(signed, team, ada, waiting):
    """It may find something else than what was read."""
    incident, address = waiting
    told = asked(address, ada.passkey.fingerprint).json()
    with connected(team.dsn) as connection:
        connection.execute("update runbook.orders set state = 'running', beat_at = now()")
    assert asked(address, ada.passkey.fingerprint).status_code == 403
    page = httpx.get(address)
    assert (page.status_code, 'http-equiv="refresh"' in page.text) == (409, True)
    assert "This page looks again by itself." in page.text
    answer = httpx.post(address, json=signed_by(ada, told))
    assert (answer.status_code, "goes on" in answer.json()["said"]) == (403, True)
    assert kinds(team, incident, Approved) == []


def test_a_page_of_a_very_long_incident_shows_its_newest_lines(team, service):
    """A telephone need not draw thousands; the number of the rest is said."""
    runbook = Runbook.find("queue_backlog")
    declaration, _ = declaration_of(runbook, {"environment": "lab"}, by="sam")
    timeline = declaration.declare(team.incidents, incident="INC-7")
    for number in range(310):
        timeline.append(Noted(at=datetime.now(UTC), text=f"Note {number} of many.", by="sam"))
    page = httpx.get(f"{service.url}/incidents/INC-7", timeout=60).text
    assert ("Note 309 of many" in page, "Note 5 of many" in page) == (True, False)
    assert "11 older lines are not shown here" in page


def test_a_page_goes_on_where_it_was_cut_off(signed, waiting):
    """A phone that comes back is told what it missed, and nothing twice."""
    incident, _ = waiting
    live = f"{signed.url}/incidents/{incident}/live"

    def numbers(**how):
        with httpx.stream("GET", live, **how) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            found = []
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    found.append(int(line.removeprefix("id: ")))
                if line.startswith("event: board"):
                    return found
        return found

    everything = numbers(params={"after": 0})
    assert everything == sorted(set(everything))
    middle = everything[len(everything) // 2]
    rest = numbers(params={"after": 0}, headers={"last-event-id": str(middle)})
    assert rest == [number for number in everything if number > middle]
    assert numbers(params={"after": everything[-1]}) == []
    assert httpx.get(live, params={"after": "x"}).status_code == 404
