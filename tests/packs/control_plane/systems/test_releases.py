"""Releases of UI and agent on the real lab: what is found, and that each way back is true."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.packs.control_plane.lab.rules import RULES
from runbook_nb.packs.control_plane.systems import catalogue, deploys, flags, releases, vercel
from runbook_nb.text.durations import hours, seconds

pytestmark = pytest.mark.slow

WINDOW = seconds(60)
# Three of a round of five fail, and the newest tenth of the window cuts a round.
SHARE = pytest.approx(60, abs=3)
SINCE = deploys.since_deploy(window=WINDOW, within=hours(2), baseline=hours(24), times=2)


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)
    assert wait_until_quiet(lab) == []


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def live(hands):
    """Name the live releases of UI and agent."""
    detail = hands.read(releases.pairing()).detail
    return detail["ui"]["release"], *detail["agent"].values()


def database(hands):
    return hands.environment.writing([]).database()


def test_the_healthy_lab_passes_every_reading(lab, hands):
    """There is a way back, it fits, and nothing calls for it."""
    assert wait_until_quiet(lab) == []
    assert hands.value(flags.error_share(window=WINDOW)) == 0
    assert hands.value(vercel.ways_back()) == 2
    assert hands.value(releases.ways_back()) == 2
    assert hands.value(catalogue.missing()) == 0
    assert hands.value(catalogue.newer_rows()) == 0
    assert hands.value(releases.pairing()) == "same release"
    assert hands.value(SINCE) == "no recent deploy"
    assert hands.value(releases.in_flight()) == 8


@injected("release_bad")
@pytest.mark.holds("releases.roll_back", "vercel.roll_back")
def test_a_bad_release_is_undone_and_done_again(fault, hands):
    """UI and agent go where the rehearsal said; a second time moves nothing; the undo is exact."""
    assert hands.value(SINCE) == "errors risen"
    rehearsed = hands.rehearse(vercel.roll_back()), hands.rehearse(releases.roll_back())
    assert live(hands) == ("v51", "v51")

    ui, agent = hands.do(vercel.roll_back()), hands.do(releases.roll_back())
    assert live(hands) == ("v50", "v50")
    assert rehearsed[0]["would become"] == ui["now"]
    assert rehearsed[1]["would move"] == [
        {name: value for name, value in moved.items() if name != "was"}
        for moved in agent["machines"]
    ]

    again = hands.do(vercel.roll_back())
    assert again["now"] == again["was"] == ui["now"]
    assert hands.do(releases.roll_back()) == {"machines": []}
    assert hands.rehearse(releases.roll_back())["would move"] == []
    assert live(hands) == ("v50", "v50")

    for _twice in range(2):
        hands.undo(releases.roll_back(), agent)
        hands.undo(vercel.roll_back(), ui)
        assert live(hands) == ("v51", "v51")
    assert hands.value(SINCE) == "errors risen"


@injected("release_bad")
def test_once_both_are_back_no_deploy_explains_what_is_left(fault, hands):
    """The errors stay in the window for a while, as a warning."""
    hands.do(vercel.roll_back())
    assert hands.value(releases.pairing()) == "ui v50, agent v51"
    assert hands.value(SINCE) == "errors risen"
    hands.do(releases.roll_back())

    assert hands.value(SINCE) == "errors risen, without a deploy"


@injected("release_bad")
def test_a_bad_release_alone_never_makes_a_minute_of_errors(lab, fault):
    """However few beats a busy machine stores in it; else it would fire for a quarter hour."""
    (rule,) = [each for each in RULES if each.name == "ErrorRateHigh"]
    with superuser(lab) as connection, connection.transaction(force_rollback=True):
        connection.execute("delete from telemetry_events where event_type = 'session_heartbeat'")
        assert not rule.fires(lab, connection)
        connection.execute(
            "update telemetry_events set status = 'error' "
            "where event_type = 'execution_step_completed' "
            "and created_at > now() - interval '15 min'"
        )
        assert rule.fires(lab, connection)


@injected("release_unpaired")
@pytest.mark.holds("releases.align")
def test_the_newer_part_moves_to_the_older(fault, hands):
    """The agent follows the UI; twice does no more than once; the undo parts them again."""
    rehearsed = hands.rehearse(releases.align())
    assert live(hands) == ("v50", "v51")

    done = hands.do(releases.align())
    assert live(hands) == ("v50", "v50")
    assert rehearsed["ui would move"] is done["ui"] is None
    assert [move["to"] for move in rehearsed["would move"]] == ["v50"]
    assert hands.do(releases.align()) == {"ui": None, "machines": []}

    hands.undo(releases.align(), done)
    assert live(hands) == ("v50", "v51")


@injected("release_bad")
def test_a_ui_that_is_ahead_of_the_agent_moves_too(fault, hands):
    """Only the agent was rolled back; the UI follows, and the undo promotes it again."""
    hands.do(releases.roll_back())
    assert live(hands) == ("v51", "v50")
    rehearsed = hands.rehearse(releases.align())

    done = hands.do(releases.align())
    assert live(hands) == ("v50", "v50")
    assert rehearsed == {"ui would move": done["ui"], "would move": []}
    hands.undo(releases.align(), done)
    assert live(hands) == ("v51", "v50")


@injected("release_no_way_back")
def test_a_previous_build_that_does_not_fit_is_told_with_its_errors(fault, hands):
    """All 17 names of that build that the schema lacks, each with its SQLSTATE."""
    found = hands.read(catalogue.missing())

    assert found.value == 17
    assert found.detail["previous build"] == "8602d45"
    lacking = {one["needs"]: one["would fail with"] for one in found.detail["missing"]}
    assert lacking["label readiness_state.insufficient_coverage"] == "22P02"
    assert lacking["column mission_artifacts.tenant_id"] == "42703"
    assert lacking["unique key mission_plays(mission_id, play_identifier)"] == "42P10"
    assert lacking["function search_library_precedents"] == "42883"
    with pytest.raises(NoAnswerError, match="not its whole schema"):
        hands.read(catalogue.newer_rows())


@injected("release_one_way")
@pytest.mark.holds("catalogue.export_newer_rows")
def test_rows_that_only_the_new_build_knows_are_exported(fault, hands, tmp_path):
    """As many as the rehearsal said, for nobody else's eyes; the undo deletes the files."""
    export = catalogue.export_newer_rows(folder=str(tmp_path / "rows"))
    assert hands.value(catalogue.newer_rows()) == 12
    assert hands.rehearse(export)["rows"] == {"mission_artifacts.tenant_id": 12}
    assert not (tmp_path / "rows").exists()

    results = [hands.do(export), hands.do(export)]
    for result in results:
        (written,) = result["exported"]
        path = Path(written["file"])
        assert written["rows"] == 12
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().count('"tenant_id": "') == 12
    assert results[0]["exported"][0]["sha256"] == results[1]["exported"][0]["sha256"]

    for result in results:
        hands.undo(export, result)
    assert list((tmp_path / "rows").iterdir()) == []


@injected("flag_errors")
@pytest.mark.holds("flags.turn_off")
def test_only_the_failing_flag_is_turned_off(fault, hands):
    """The other stays on; twice does no more than once; the undo turns it on again."""
    action = flags.turn_off(above=2, window=WINDOW)
    assert hands.value(flags.error_share(window=WINDOW)) == SHARE
    assert hands.rehearse(action) == {"would turn off": ["planner_step3"]}
    assert hands.value(flags.error_share(window=WINDOW)) == SHARE

    result = hands.do(action)
    assert result == {"turned off": ["planner_step3"]}
    assert hands.value(flags.error_share(window=WINDOW)) == 0
    assert hands.read(flags.error_share(window=WINDOW)).detail["enabled"] == ["pdf_export"]
    with pytest.raises(NothingDoneError):
        hands.do(action)

    hands.undo(action, result)
    assert hands.value(flags.error_share(window=WINDOW)) == SHARE


def test_without_a_table_a_switch_of_the_agent_is_a_flag(lab, hands):
    """It is read from the machines' environment, turned off there, and on again."""
    connection = database(hands)
    machine = FLY.first(hands)
    config = {**machine["config"], "env": {**machine["config"]["env"], "EVAL_MODE": "true"}}
    FLY.update(hands, machine, config)
    rows = connection.rows(FAILING_STEPS, at=datetime.now(UTC))
    try:
        action = flags.turn_off(above=2, window=WINDOW)
        assert hands.read(flags.error_share(window=WINDOW)).detail["enabled"] == ["EVAL_MODE"]
        assert hands.rehearse(action)["would turn off"] == ["EVAL_MODE"]
        result = hands.do(action)
        assert result == {"turned off": ["EVAL_MODE"]}
        assert hands.value(flags.error_share(window=WINDOW)) == 0
        hands.undo(action, result)
        assert hands.value(flags.error_share(window=WINDOW)) == 100
    finally:
        connection.rows(FORGET, ids=[row["id"] for row in rows])
        FLY.update(hands, machine, machine["config"])
    assert wait_until_quiet(lab) == []


@injected("slow_without_deploy")
def test_slowness_without_a_deploy_is_no_reason_to_roll_back(fault, hands):
    """The figures say how slow; the answer says that no deploy did it."""
    found = hands.read(SINCE)

    assert found.value == "slower, without a deploy"
    slowest = max(part["p95_ms"] or 0 for part in found.detail["now"])
    assert slowest > 2 * found.detail["before"]["p95_ms"]


FAILING_STEPS = """
insert into telemetry_events (event_type, status, context, created_at)
select 'execution_step_completed', 'error', '{"feature_flag": "EVAL_MODE"}', %(at)s
from generate_series(1, 20)
returning id
"""
FORGET = "delete from telemetry_events where id = any(%(ids)s::uuid[])"


class FLY:
    """The machines as the pipeline changes them."""

    PATH = "/v1/apps/ai-employee-agent/machines"

    @classmethod
    def first(cls, hands):
        return hands.environment.reading([]).http("fly").get(cls.PATH).json()[0]

    @classmethod
    def update(cls, hands, machine, config):
        path = f"{cls.PATH}/{machine['id']}"
        sent = (
            hands.environment.writing([]).http("fly").request("POST", path, json={"config": config})
        )
        sent.raise_for_status()
