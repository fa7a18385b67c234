"""A team's own baseline on the real lab: it is what checks compare with and actions restore."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.authoring.baselines import accept, compare, parts_in_use, take
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.systems import backups, policies
from runbook_nb.project import Project

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
PARTS = parts_in_use()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of a team's own, with the platform's pack."""
    (tmp_path / "runbook.toml").write_text('packs = ["control_plane"]\n', encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_PROJECT", str(tmp_path))
    return Project.read(tmp_path)


@pytest.fixture
def fault(lab, request):
    FAULTS[request.param].inject(lab)
    yield
    FAULTS[request.param].heal(lab)


def differing(project, environment):
    compared = compare(project, PARTS, of=environment, today=NOW.date())
    return {each.part: [one.item for one in each.differences] for each in compared}


def test_the_healthy_lab_is_as_the_pack_says_and_as_it_was_taken(hands, project):
    """Every part, before there is a baseline and with one."""
    nothing = {part.name: [] for part in PARTS}
    assert differing(project, hands.environment) == nothing
    taken = take(project, PARTS, of=hands.environment, by="ada", at=NOW, anew=False)
    assert all(each.items and not each.left_out for each in taken)
    assert [each.unlike_the_packs for each in taken] == [[]] * len(PARTS)
    assert differing(project, hands.environment) == nothing


@pytest.mark.parametrize(
    ("fault", "part", "item"),
    [
        ("policy_dropped", "policies", " on telemetry_events"),
        ("grant_removed", "grants", "to"),
        ("helper_loosened", "helper_functions", "("),
        ("row_security_off", "row_security", "mission_feedback"),
        ("jobs_stopped", "jobs", "refresh"),
    ],
    indirect=["fault"],
)
@pytest.mark.usefixtures("fault")
def test_a_fault_is_a_difference_of_its_part(hands, project, part, item):
    """Of that part alone, by a name that a person can accept."""
    found = differing(project, hands.environment)
    assert [name for name, items in found.items() if items] == [part]
    assert any(item in each for each in found[part])


@pytest.mark.parametrize("fault", ["policy_widened"], indirect=True)
@pytest.mark.usefixtures("fault")
def test_what_a_team_accepts_is_no_finding_and_is_not_restored(hands, project):
    """The check passes and the action leaves it alone; the evidence names the baseline."""
    (part,) = parts_in_use(["policies"])
    take(project, [part], of=hands.environment, by="ada", at=NOW, anew=False)
    assert hands.value(policies.drift()) == 0
    FAULTS["policy_widened"].heal(hands._lab)

    (changed,) = differing(project, hands.environment)["policies"]
    assert hands.value(policies.drift()) == 1
    assert len(hands.rehearse(policies.restore())["policies"]) == 1
    accept(
        *(project, part, [changed]),
        of=hands.environment,
        because="RUN-91",
        by="ada",
        at=NOW,
        until=NOW.date() + timedelta(days=7),
    )
    assert hands.value(policies.drift()) == 0
    assert hands.rehearse(policies.restore())["policies"] == []
    asked = []
    reading = hands.environment.reading(asked)
    policies.drift().read(reading)
    reading.close()
    assert f"the baseline policies.json of {NOW:%Y-%m-%d}, taken by ada" in asked


def test_a_job_that_a_team_has_and_that_is_gone_is_missing(hands, project):
    """The pack knows four; the team's baseline one more."""
    (part,) = parts_in_use(["jobs"])
    (taken,) = take(project, [part], of=hands.environment, by="ada", at=NOW, anew=False)
    text = taken.file.read_text(encoding="utf-8")
    more = '"items": {"weekly_report": {"command": "select 1", "schedule": "0 9 * * 1"},'
    taken.file.write_text(text.replace('"items": {', more), encoding="utf-8")
    assert hands.read(backups.scheduled_jobs()).detail[0]["jobname"] == "weekly_report"
    assert hands.value(backups.scheduled_jobs()) == 1
