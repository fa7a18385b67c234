"""Connections on the real lab: what is found, and that each way to set them right is true."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from runbook_nb.errors import ActionError, NoAnswerError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import break_composio, keep_rows
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.systems import connection_rows, connections
from runbook_nb.text.durations import hours, seconds

pytestmark = pytest.mark.lab

ROWS = """
select id::text, status::text, connect_link_id, granted_scopes, approved_at, expires_at
from mission_connections order by id
"""


@pytest.fixture
def fault(lab, request) -> Iterator[None]:
    """Inject the fault that the test names, and heal it after, twice."""
    FAULTS[request.param].inject(lab)
    yield
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)


@pytest.fixture
def mended(hands, fault) -> None:
    """Let rows be updated; the healing of the fault takes it back."""
    hands.do(connections.repair_trigger())


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def rows(hands) -> list[dict[str, object]]:
    reading = hands.environment.reading([])
    try:
        return reading.database().rows(ROWS)
    finally:
        reading.close()


@pytest.mark.parametrize(
    "probe",
    [
        connections.expired(),
        connections.revoked(),
        connections.differing(),
        connections.cut_off(),
        connections.duplicates(),
        connections.stuck(),
        connection_rows.past_expiry(),
        connection_rows.scope_gap(),
        connection_rows.refused_in_a_row(window=hours(1)),
        connection_rows.auth_errors(window=hours(1)),
    ],
    ids=str,
)
def test_a_healthy_lab_has_no_trouble(hands, probe):
    """Every count is zero."""
    assert hands.value(probe) == 0


def test_a_healthy_lab_has_days_left_and_a_table_that_cannot_be_updated(hands):
    """The table is as the platform delivers it."""
    assert hands.value(connection_rows.next_expiry()) > 24
    assert hands.value(connections.row_updates()) == "broken"
    accepted = connections.row_updates(accepted_until="9000-01-01")
    assert hands.value(accepted) == "broken, as accepted"
    assert hands.value(connections.row_updates(accepted_until="2026-01-01")) == "broken"


@injected("accounts_expired")
def test_an_expired_account_is_found_with_its_missions(hands, fault):
    """Composio says expired, our rows say approved, calls are refused."""
    found = hands.read(connections.expired())

    assert found.value == 1
    assert found.detail[0]["reason"] == "Permanent auth error during token refresh"
    assert hands.value(connections.cut_off()) > 0
    assert hands.value(connections.differing()) > 0
    assert hands.value(connection_rows.auth_errors(window=hours(1))) > 10
    assert hands.value(connection_rows.refused_in_a_row(window=hours(1))) >= 3


@injected("accounts_expired")
@pytest.mark.holds("connections.send_links", "connections.record_consents")
def test_a_new_consent_is_asked_for_recorded_and_taken_back(hands, fault, mended):
    """The rehearsal names the rows; undo leaves rows and accounts as they were."""
    before = rows(hands)
    rehearsed = hands.rehearse(connections.send_links())
    assert rows(hands) == before
    sent = hands.do(connections.send_links())
    again = hands.do(connections.send_links())
    ask = connections.record_consents(within=seconds(10))
    predicted = hands.rehearse(ask)
    recorded = hands.do(ask)

    link, predicted_link = sent["links"][0], rehearsed["links"][0]
    assert predicted_link["rows expired"] == link["rows expired"]
    assert [row["replaces"] for row in predicted_link["rows begun"]] == [
        row["replaces"] for row in link["rows begun"]
    ]
    assert again == {"links": []}
    assert {row["id"] for row in recorded["rows approved"]} == {
        *predicted["rows to approve when their link was followed"],
        *(row["id"] for row in predicted["rows approved"]),
    }
    assert hands.value(connections.expired()) == hands.value(connections.cut_off()) == 0
    assert hands.value(connection_rows.auth_errors(window=hours(1))) == 0

    hands.undo(ask, recorded)
    assert hands.value(connections.cut_off()) > 0
    hands.undo(connections.send_links(), sent)
    assert rows(hands) == before
    assert hands.value(connections.expired()) == 1


@injected("accounts_expired")
def test_a_consent_that_nobody_gave_is_not_recorded(hands, fault, mended):
    """The action fails with the account's name, and changes no row."""
    hands.do(connections.send_links())
    before = rows(hands)
    with pytest.raises(ActionError, match="No customer followed the link yet"):
        hands.do(connections.record_consents(within=seconds(0)))
    assert rows(hands) == before


@injected("scopes_missing")
def test_a_missing_scope_is_asked_for_and_the_old_account_goes(hands, fault, mended):
    """A second active account is a duplicate until the older one is revoked."""
    assert hands.value(connection_rows.scope_gap()) > 0
    hands.do(connections.send_links())
    hands.do(connections.record_consents(within=seconds(10)))

    assert hands.value(connection_rows.scope_gap()) == 0
    assert hands.value(connections.duplicates()) == 1
    hands.do(connections.revoke_duplicates())
    assert hands.value(connections.duplicates()) == hands.value(connections.differing()) == 0


@injected("account_doubled")
@pytest.mark.holds("connections.revoke_duplicates", undo=False)
def test_the_older_of_two_accounts_is_revoked_once(hands, fault):
    """The rehearsal names it and leaves it; the newer one stays."""
    rehearsed = hands.rehearse(connections.revoke_duplicates())["would revoke"]
    assert hands.value(connections.duplicates()) == 1
    done = hands.do(connections.revoke_duplicates())["revoked"]

    assert [one["id"] for one in done] == [one["id"] for one in rehearsed]
    assert [one["now"] for one in done] == ["REVOKED"]
    assert hands.do(connections.revoke_duplicates()) == {"revoked": []}
    assert hands.value(connections.duplicates()) == hands.value(connections.cut_off()) == 0


@injected("consent_withdrawn")
@pytest.mark.holds("connections.set_rows")
def test_rows_of_a_withdrawn_consent_become_revoked(hands, fault, mended):
    """The rehearsal tells the same rows, undo gives them back, and twice is safe."""
    before = rows(hands)
    assert hands.value(connections.revoked()) > 0
    assert hands.do(connections.send_links()) == {"links": []}
    rehearsed = hands.rehearse(connections.set_rows())
    assert rows(hands) == before
    done = hands.do(connections.set_rows())

    assert rehearsed == done
    assert {row["status"] for row in done["rows set"]} == {"revoked"}
    assert hands.value(connections.revoked()) == hands.value(connections.differing()) == 0
    assert hands.do(connections.set_rows()) == {"rows set": []}
    hands.undo(connections.set_rows(), done)
    assert rows(hands) == before
    assert hands.value(connections.revoked()) > 0


@injected("account_disabled")
def test_an_account_that_was_switched_off_needs_no_new_consent(hands, fault):
    """Composio calls it INACTIVE; its customer has decided nothing, so no link and no row."""
    found = hands.read(connections.disabled())

    assert {one["Composio"] for one in found.detail} == {"DISABLED"}
    assert found.value == 1
    assert hands.value(connections.expired()) == hands.value(connections.differing()) == 0
    assert hands.do(connections.send_links()) == {"links": []}


@injected("rows_overdue")
def test_an_overdue_row_of_a_living_account_gets_its_term_anew(hands, fault, mended):
    """It stays approved, and ends as far from the last refresh as it did from the consent."""
    before = rows(hands)
    assert hands.value(connection_rows.past_expiry()) > 0
    done = hands.do(connections.set_rows())

    assert {row["status"] for row in done["rows set"]} == {"approved"}
    assert hands.value(connection_rows.past_expiry()) == 0
    assert hands.value(connection_rows.next_expiry()) > 24
    hands.undo(connections.set_rows(), done)
    assert rows(hands) == before


@injected("rows_overdue")
def test_rows_wait_while_the_table_is_broken(hands, fault):
    """Setting them fails until the table is mended, and says why."""
    assert hands.value(connections.stuck()) > 0
    with pytest.raises(psycopg.errors.UndefinedColumn):
        hands.do(connections.set_rows())


@pytest.fixture
def kept(lab) -> Iterator[None]:
    """Keep the table, and put it back after."""
    with superuser(lab) as connection:
        keep_rows(connection)
    yield
    FAULTS["rows_overdue"].heal(lab)


@pytest.mark.holds("connections.repair_trigger")
def test_the_table_is_mended_and_broken_again(hands, kept):
    """The rehearsal proves both: what an update does today, and what it does then."""
    before = rows(hands)
    rehearsed = hands.rehearse(connections.repair_trigger())
    assert rehearsed["an update today"].startswith('42703: record "new" has no field')
    assert hands.value(connections.row_updates()) == "broken"
    done = hands.do(connections.repair_trigger())

    assert done == {"column added": True, "an update then": "1 row"}
    assert done.items() <= rehearsed.items()
    assert hands.value(connections.row_updates()) == "possible"
    assert hands.do(connections.repair_trigger())["column added"] is False
    hands.undo(connections.repair_trigger(), done)
    assert hands.value(connections.row_updates()) == "broken"
    assert rows(hands) == before


def test_the_table_needs_a_writer_that_may_become_its_owner(hands):
    """One that may not is refused by the database, and nothing was changed."""
    settings = hands.environment._systems["database"]
    settings["writer"] = settings["reader"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="set role"):
        hands.rehearse(connections.repair_trigger())


@pytest.fixture
def composio_well(lab) -> Iterator[None]:
    """End every outage after."""
    yield
    FAULTS["composio_down"].heal(lab)


@pytest.mark.parametrize("status", [200, 503])
def test_a_page_in_place_of_accounts_is_no_answer(lab, hands, composio_well, status):
    """No reading takes an outage for a lost consent."""
    break_composio(lab, status=status, headers={"content-type": "text/html"}, body="<html>")
    for probe in (connections.expired(), connections.differing(), connections.duplicates()):
        with pytest.raises(NoAnswerError, match="nothing is known of them"):
            hands.read(probe)


def test_a_connection_cut_midway_is_no_answer(lab, hands, composio_well):
    """Half a list is none."""
    break_composio(lab, cut=True)
    with pytest.raises(httpx.TransportError):
        hands.read(connections.expired())
