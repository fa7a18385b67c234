"""Connect Links on the real lab: where each broke, and that what makes them good is true."""

from collections.abc import Iterator

import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import API, composio
from runbook_nb.packs.control_plane.systems import connect_links, connections
from runbook_nb.text.durations import hours
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

DAY = hours(24)
COUNTS = (
    connect_links.wrong_configs,
    connect_links.never_made,
    connect_links.blocked_popups,
    connect_links.left_open,
    connect_links.refused,
    connect_links.state_mismatches,
    connect_links.lost_callbacks,
)
ROWS = """
select id::text, status::text, granted_scopes, expires_at from mission_connections order by id
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


def counts(hands) -> dict[str, int]:
    read = {probe.__name__: hands.value(probe(window=DAY)) for probe in COUNTS}
    return {name: count for name, count in read.items() if count}


def rows(hands) -> list[dict[str, object]]:
    reading = hands.environment.reading([])
    try:
        return reading.database().rows(ROWS)
    finally:
        reading.close()


def test_a_healthy_lab_has_no_broken_link(hands):
    """Nobody does worse than usual, and the way back is open."""
    assert counts(hands) == {}
    assert hands.value(connect_links.failure_rate(window=DAY)) == 0
    assert hands.value(connect_links.callback()) == "answers"
    assert hands.value(connect_links.approved_without_account(window=DAY)) == 0


def test_too_few_requests_tell_no_rate(hands):
    """An hour without a customer is unknown, and no pass."""
    with pytest.raises(NoAnswerError, match="5 requests"):
        hands.value(connect_links.failure_rate(window=hours(0.5)))


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("links_left.swept", {"left_open": 4}),
        ("popups_blocked.young", {"blocked_popups": 4}),
        ("states_mixed_up.one_customer", {"state_mismatches": 1}),
        ("consents_refused.recorded", {"refused": 4}),
        ("links_never_made", {"never_made": 4}),
        ("redirect_moved", {}),
    ],
    indirect=["fault"],
)
def test_each_link_broke_at_one_place(hands, fault, found):
    """Only the check of that place sees it."""
    assert counts(hands) == found


@injected("callbacks_lost.unseen")
def test_without_events_no_consent_is_taken_for_a_lost_one(hands, fault):
    """Its state may not have matched; nothing is recorded either."""
    window = hours(1)
    for probe in (connect_links.lost_callbacks, connect_links.blocked_popups):
        with pytest.raises(NoAnswerError, match="composio_auth_flow"):
            hands.value(probe(window=window))
    with pytest.raises(NoAnswerError):
        hands.rehearse(connect_links.record(window=window))


@injected("callbacks_lost")
@pytest.mark.holds("connect_links.record")
def test_a_consent_is_recorded_with_its_scopes_and_taken_back(hands, fault, mended):
    """What the rehearsal names is done; undo leaves the rows as they were."""
    before, action = rows(hands), connect_links.record(window=DAY)
    rehearsed = hands.rehearse(action)
    done = hands.do(action)

    assert rehearsed == done
    assert [row["granted_scopes"] for row in done["rows approved"]] == [
        ["gmail.readonly", "gmail.compose"]
    ] * 4
    assert counts(hands) == {}
    assert hands.value(connect_links.approved_without_account(window=DAY)) == 0
    hands.undo(action, done)
    assert rows(hands) == before


@injected("states_mixed_up.one_customer")
def test_a_consent_with_a_wrong_state_is_never_recorded(hands, fault, mended):
    """It may be another person's."""
    assert hands.do(connect_links.record(window=DAY)) == {"rows approved": []}


@injected("links_never_made.one_mission")
@pytest.mark.holds("connect_links.send_anew")
def test_a_link_is_sent_followed_and_recorded_by_the_way_back(hands, fault, mended):
    """Nobody sets the row but the callback; a second sending finds nothing to send."""
    action, before = connect_links.send_anew(window=DAY), rows(hands)
    rehearsed, done = hands.rehearse(action), hands.do(action)
    assert [one["toolkit"] for one in rehearsed["links"]] == ["github"]
    hands.undo(action, done)
    assert rows(hands) == before

    (link,) = hands.do(action)["links"]
    assert hands.do(action) == {"links": []}
    assert wait_until(
        lambda: any(
            (row["id"], row["status"]) == (link["row begun"], "approved") for row in rows(hands)
        ),
        within_s=6,
    )


@injected("redirect_wrong.scopes_cut")
@pytest.mark.holds("connect_links.restore_configs")
def test_an_auth_config_is_restored_and_taken_back(hands, lab, fault):
    """Only what differs is changed."""

    def scopes():
        with composio(lab) as client:
            return client.get(f"{API}/auth_configs/ac_hubspot").json()["credentials"]["scopes"]

    cut, action = scopes(), connect_links.restore_configs(window=DAY)
    (would,) = hands.rehearse(action)["would restore"]
    done = hands.do(action)
    assert scopes() == would["should be"]["scopes"] == [*cut, "crm.objects.contacts.write"]
    hands.undo(action, done)
    assert scopes() == cut


@injected("links_never_made.everywhere")
def test_where_most_configs_differ_the_settings_are_suspected(hands, lab, fault):
    """Nothing is changed then, and the message says where to look."""
    other = {"type": "custom", "credentials": {"oauth_redirect_uri": "https://new.example/add"}}
    with composio(lab) as client:
        for toolkit in ("hubspot", "gmail", "slack", "github"):
            client.patch(f"{API}/auth_configs/ac_{toolkit}", json=other).raise_for_status()
    assert hands.value(connect_links.wrong_configs(window=DAY)) == 4
    with pytest.raises(NothingDoneError, match="redirect_uri"):
        hands.do(connect_links.restore_configs(window=DAY))


@injected("callback_refused")
def test_a_page_of_somebody_else_is_not_our_callback(hands, fault):
    """The edge answers 404 for us."""
    assert hands.value(connect_links.callback()) == "HTTP 404"
