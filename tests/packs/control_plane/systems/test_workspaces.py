"""Workspaces on the real lab: tables and revisions judge a state, never a clock."""

from collections.abc import Iterator

import pytest

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.workspace import heal
from runbook_nb.packs.control_plane.systems import approvals, workspace_state, workspace_tabs
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

STATES = (
    workspace_state.lost(),
    workspace_state.behind(),
    workspace_state.rolled_back(),
    workspace_state.foreign(),
)
CONTENT = """
select id::text, md5((state - 'runner')::text) as seen from mission_sessions
where status = 'active' and agent_name not like '%%.before.%%' order by id
"""
KEPT = "select count(*) as rows from mission_sessions where agent_name like '%%.before.%%'"


@pytest.fixture
def fault(lab, request) -> Iterator[None]:
    """Inject the fault that the test names, and heal it after, twice."""
    FAULTS[request.param].inject(lab)
    yield
    heal(lab)
    heal(lab)


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def rows(hands, question):
    reading = hands.environment.reading([])
    try:
        return reading.database().rows(question)
    finally:
        reading.close()


@pytest.mark.parametrize(
    "probe", [*STATES, workspace_tabs.behind(), approvals.repeated(), approvals.vanished()], ids=str
)
def test_a_healthy_lab_has_workspaces_as_the_tables_say(hands, probe):
    """Every count is zero."""
    assert hands.value(probe) == 0


def test_a_healthy_state_fits_into_a_payload(hands):
    """Some 1.5 KB of 10."""
    assert 0.5 < hands.value(workspace_state.largest()) < 10


@injected("workspace_lost")
@pytest.mark.holds("workspace_state.rebuild")
def test_a_lost_state_is_rebuilt_and_put_back(hands, fault):
    """It gets a revision above every tab's; the former state is kept in no record."""
    before = rows(hands, CONTENT)
    assert hands.value(workspace_state.lost()) == 2
    rehearsed = hands.rehearse(workspace_state.rebuild())
    assert rows(hands, CONTENT) == before
    done = hands.do(workspace_state.rebuild())

    assert [one["session"] for one in rehearsed["states"]] == [
        one["session"] for one in done["states"]
    ]
    assert all("mission_brief" in one["keys changed"] for one in done["states"])
    assert [hands.value(probe) for probe in STATES[:2]] == [0, 0]
    assert wait_until(lambda: hands.value(workspace_tabs.behind()) == 0, within_s=10)
    assert rows(hands, KEPT) == [{"rows": 2}]
    hands.undo(workspace_state.rebuild(), done)
    assert rows(hands, CONTENT) == before
    assert rows(hands, KEPT) == [{"rows": 0}]


@injected("workspace_behind.rolled_back")
def test_the_higher_revision_wins_whatever_the_clock_says(hands, fault):
    """The row of the older state was touched last, by a heartbeat."""
    assert hands.value(workspace_state.rolled_back()) == 2
    assert hands.value(workspace_state.behind()) == 0
    done = hands.do(workspace_state.rebuild())
    assert all(one["revision then"] > one["revision"] for one in done["states"])
    assert hands.value(workspace_state.rolled_back()) == 0


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("workspace_behind.brief", ["mission_brief"]),
        ("workspace_behind.revoked", ["approval_decision"]),
        ("workspace_behind", ["approval_decision"]),
        ("workspace_moving", []),
    ],
    indirect=["fault"],
)
def test_a_mission_that_moves_on_hides_only_what_moves(hands, lab, fault, left):
    """Its stage may be on its way; a brief or a decision that nobody touched is not."""
    with superuser(lab) as connection:
        connection.execute("update missions set priority = priority where status = 'in_progress'")
    rows = hands.read(workspace_state.behind()).detail
    assert {key for row in rows for key in row["differs in"]} == set(left)


@injected("workspace_foreign")
def test_a_state_of_another_mission_is_left_as_evidence(hands, fault):
    """It is found, and nothing overwrites it."""
    assert hands.value(workspace_state.foreign()) == 1
    assert hands.do(workspace_state.rebuild()) == {"states": []}
    assert hands.value(workspace_state.foreign()) == 1


@injected("workspace_large")
@pytest.mark.holds("workspace_state.move_out")
def test_what_no_agent_knows_is_moved_out_and_put_back(hands, fault):
    """The state is small again; a copy is kept beside it."""
    assert hands.value(workspace_state.largest()) > 50
    assert hands.rehearse(workspace_state.move_out())["states"][0]["keys changed"] == ["transcript"]
    done = hands.do(workspace_state.move_out())

    assert hands.value(workspace_state.largest()) < 10
    hands.undo(workspace_state.move_out(), done)
    assert hands.value(workspace_state.largest()) > 50


@injected("workspace_tabs")
@pytest.mark.holds("workspace_tabs.close_behind")
def test_a_stale_tab_is_refused_at_the_edge_and_let_in_again(lab, hands, fault):
    """Its stream gets 204; others go on."""
    import httpx

    found = hands.read(workspace_tabs.behind())
    assert found.value == 2
    tab = found.detail["behind"][0]
    asked = {"mission_id": tab["mission"], "session_id": tab["tab"]}
    url = f"http://127.0.0.1:{lab.ports['edge']}/api/stream/execution"
    hands.rehearse(workspace_tabs.close_behind())
    done = hands.do(workspace_tabs.close_behind())

    assert httpx.get(url, params=asked, trust_env=False).status_code == 204
    assert hands.value(workspace_tabs.behind()) == 0
    hands.undo(workspace_tabs.close_behind(), done)
    assert hands.value(workspace_tabs.behind()) == 2
    with httpx.stream("GET", url, params=asked, trust_env=False) as answer:
        assert answer.status_code == 200


@injected("workspace_replayed")
@pytest.mark.holds("approvals.withdraw_repeated")
def test_the_first_of_two_requests_stays_open(hands, fault):
    """The later ones expire, and are open again after the undo."""
    assert hands.value(approvals.repeated()) == 2
    rehearsed = hands.rehearse(approvals.withdraw_repeated())
    done = hands.do(approvals.withdraw_repeated())

    assert rehearsed == done
    assert hands.value(approvals.repeated()) == hands.value(approvals.vanished()) == 0
    hands.undo(approvals.withdraw_repeated(), done)
    assert hands.value(approvals.repeated()) == 2


@injected("workspace_lost.one")
def test_without_sessions_or_revisions_nothing_is_known(lab, hands, fault):
    """Nobody at work, nobody who waits, no tab that says what it holds."""
    with superuser(lab) as connection:
        connection.execute("alter table workspace_stream_sessions rename column metadata to held")
        connection.execute(
            "alter table workspace_stream_sessions add column metadata jsonb default '{}'"
        )
        try:
            with pytest.raises(NoAnswerError, match="none says which revision"):
                hands.read(workspace_tabs.behind())
        finally:
            connection.execute("alter table workspace_stream_sessions drop column metadata")
            connection.execute(
                "alter table workspace_stream_sessions rename column held to metadata"
            )


def test_a_reload_brings_what_is_stored(hands):
    """For every mission at work."""
    found = hands.read(workspace_tabs.wrong_reloads())
    assert (found.value, found.detail) == (0, {"reloads tried": 8})


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("workspace_stuck", "the run never ends"),
        ("workspace_stuck.error", "the run failed"),
        ("workspace_stuck.not_found", "session not found"),
    ],
    indirect=["fault"],
)
def test_a_reload_that_brings_nothing_is_told_in_words(hands, fault, words):
    """Each word is another cause."""
    found = hands.read(workspace_tabs.wrong_reloads())
    assert found.value == 8
    assert {one["a reload brings"] for one in found.detail} == {words}


@injected("workspace_stuck.page")
def test_a_page_in_place_of_events_is_no_answer(hands, fault):
    """A proxy's page tells nothing of any state."""
    with pytest.raises(NoAnswerError, match="in place of events"):
        hands.read(workspace_tabs.wrong_reloads())
