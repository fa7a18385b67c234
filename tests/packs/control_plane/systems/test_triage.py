"""Triage on the real lab: healthy it finds nothing; each fault has its own severity and sign."""

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import BlastRadius
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.monitoring import firing
from runbook_nb.packs.control_plane.systems import platform_health, toolcalls
from runbook_nb.text.durations import hours, seconds
from runbook_nb.timeline.store.embedded.files import read_secret

WINDOW = seconds(300)
HEALTHY = {
    "affected": (platform_health.missions_affected(window=WINDOW), 0),
    "tenants": (platform_health.tenants_affected(window=WINDOW), 0),
    "severity": (platform_health.severity(window=WINDOW), "none"),
    "errors": (platform_health.error_share(window=WINDOW), 0),
    "success": (platform_health.mission_success(window=WINDOW), 100),
    "lost": (platform_health.lost_rows(), 0),
    "leaks": (platform_health.leak_signals(), 0),
    "deploy": (platform_health.impaired_since_deploy(window=WINDOW, within=hours(2)), 0),
    "page": (platform_health.user_interface(), 200),
    "auth": (toolcalls.auth_failures(window=hours(1)), 0),
    "expired": (toolcalls.expired_connections(), 0),
    "limits": (toolcalls.rate_limited(window=hours(1)), 0),
    "partner": (toolcalls.worst_toolkit(calls=20), 0),
}


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield lab
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


@pytest.fixture
def rows(lab):
    """Run statements as the superuser in a transaction that is undone by the test itself."""
    with psycopg.connect(read_secret(lab.folder, "postgres.dsn"), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("reading", HEALTHY)
def test_the_healthy_lab_shows_nothing(lab, hands, reading):
    """Each reading is what the platform calls healthy."""
    probe, healthy = HEALTHY[reading]
    assert hands.value(probe) == healthy


def test_the_healthy_lab_beats_and_is_seen(lab, hands):
    """Both ages are seconds, and few connections are used."""
    assert hands.value(platform_health.heartbeat_age()) < 10
    assert hands.value(platform_health.telemetry_age()) < 1
    assert hands.value(platform_health.connections_used()) < 80
    assert 0 < hands.value(platform_health.database_answers()) < 100


@injected("platform_down")
def test_all_missions_silent_is_a_sev1(fault, hands):
    """Events go on, because the pages write their own."""
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV1"
    assert hands.value(platform_health.missions_affected(window=WINDOW)) == 100
    assert hands.value(platform_health.heartbeat_age()) > 90
    assert hands.value(platform_health.telemetry_age()) < 1
    assert "PlatformImpaired" in names(fault)


@injected("telemetry_swallowed")
def test_lost_events_are_a_sev2_while_the_agents_beat(fault, hands):
    """A row without a mission, such as a declared incident, does not hide it."""
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV2"
    assert hands.value(platform_health.heartbeat_age()) < 10
    assert hands.value(platform_health.telemetry_age()) >= 15
    assert "PlatformSilent" in names(fault)
    with pytest.raises(NoAnswerError, match="no share"):
        hands.read(platform_health.error_share(window=WINDOW))


@injected("limits_storm")
def test_a_quarter_of_the_missions_throttled_is_a_sev2(fault, hands):
    """A rate limit is no error of the partner, and no refused login."""
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV2"
    assert hands.value(toolcalls.rate_limited(window=hours(1))) == 120
    assert hands.value(toolcalls.worst_toolkit(calls=20)) == 0
    assert hands.value(toolcalls.auth_failures(window=hours(1))) == 0
    assert "ToolCallsFailing" in names(fault)


@injected("login_expired")
def test_one_mission_of_eight_is_a_sev3(fault, hands):
    """Four refusals in a row, and the connection is still called approved."""
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV3"
    assert hands.value(toolcalls.auth_failures(window=hours(1))) == 4
    assert hands.value(toolcalls.expired_connections()) == 1


@injected("burst_is_over")
def test_a_burst_that_is_over_fires_an_alert_and_affects_nobody(fault, hands):
    """The alert looks back further than the checks."""
    assert "ErrorRateHigh" in names(fault)
    assert hands.value(platform_health.severity(window=WINDOW)) == "none"
    assert hands.value(platform_health.error_share(window=WINDOW)) == 0
    assert hands.value(platform_health.severity(window=seconds(900))) == "SEV2"


@injected("incident_left_open")
def test_an_incident_left_open_fires_its_alert(fault):
    """And no other."""
    assert names(fault) == ["IncidentLeftOpen"]


@injected("toolkit_down")
def test_a_toolkit_that_is_down_is_named_by_its_newest_calls(fault, hands):
    """However many calls went well before."""
    reading = hands.read(toolcalls.worst_toolkit(calls=20))
    assert (reading.value, reading.detail[0]["toolkit"]) == (100, "github")
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV2"


@injected("secret_in_events")
def test_a_secret_in_events_is_a_sev1_that_affects_no_mission(fault, hands):
    """The evidence counts and does not quote."""
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV1"
    assert hands.value(platform_health.missions_affected(window=WINDOW)) == 0
    assert "SecretInTelemetry" in names(fault)


@injected("release_impairs")
def test_a_release_with_errors_since_is_suspected(fault, hands):
    """It came 20 minutes ago."""
    probe = platform_health.impaired_since_deploy(window=WINDOW, within=hours(2))
    assert hands.value(probe) == 3
    assert hands.value(platform_health.error_share(window=WINDOW)) > 2


def names(lab):
    return [alert["labels"]["alertname"] for alert in firing(lab)]


def test_a_leak_is_a_sev1_and_is_not_shown(lab, hands, rows):
    """An address in an event is counted, and appears in no evidence."""
    rows.execute(
        "insert into telemetry_events (event_type, context, correlation_id) values "
        """('note', '{"text": "wrote to ada@example.org"}', 'leak-test')"""
    )
    try:
        reading = hands.read(platform_health.leak_signals())
        assert reading.value == 1
        assert "ada@" not in str(reading.detail)
        assert hands.value(platform_health.severity(window=WINDOW)) == "SEV1"
    finally:
        rows.execute("delete from telemetry_events where correlation_id = 'leak-test'")


def test_lost_stage_rows_are_a_sev1(lab, hands, rows):
    """A mission whose brief was locked has stages; one that was begun just now may have none."""
    rows.execute(
        "insert into missions (tenant_id, title, status) "
        "select id, 'without stages', 'ready' from tenants limit 1"
    )
    try:
        assert hands.value(platform_health.lost_rows()) == 0
        rows.execute(
            "update missions set brief_locked_at = now() - interval '1 day' "
            "where title = 'without stages'"
        )
        assert hands.value(platform_health.lost_rows()) == 1
        assert hands.value(platform_health.severity(window=WINDOW)) == "SEV1"
    finally:
        rows.execute("delete from missions where title = 'without stages'")


@injected("limits_storm")
def test_a_recent_release_is_suspected_only_while_something_is_impaired(fault, hands, rows):
    """Nor is one suspected of what was so before it; without one there is nothing to blame."""
    probe = platform_health.impaired_since_deploy(window=WINDOW, within=hours(2))
    assert hands.value(probe) == 0
    rows.execute(
        "insert into telemetry_events (event_type, context, correlation_id) values "
        """('deployment_completed', '{"component": "agent", "release": "v0"}', 'deploy-test')"""
    )
    try:
        assert hands.value(probe) == 0
        rows.execute(
            "update telemetry_events set created_at = now() - interval '110 minutes' "
            "where correlation_id = 'deploy-test'"
        )
        assert hands.value(probe) == 3
    finally:
        rows.execute("delete from telemetry_events where correlation_id = 'deploy-test'")


def test_a_toolkit_whose_newest_calls_fail_stands_out(lab, hands, rows):
    """Half of the newest twenty, or more where fewer were called within the hour."""
    rows.execute(
        "insert into composio_audit_events (toolkit, status, outcome, occurred_at) "
        """select 'hubspot', 'error', '{"log_id": "outage-test"}', now() """
        "from generate_series(1, 10)"
    )
    try:
        assert hands.value(toolcalls.worst_toolkit(calls=20)) >= 50
    finally:
        rows.execute("delete from composio_audit_events where outcome ->> 'log_id' = 'outage-test'")


def radius(**figures):
    healthy = {"live": 8, "impaired": 0, "unseen": 0, "tenants": 2, "tenants_affected": 0}
    return BlastRadius(**{**healthy, "lost": 0, "leaks": 0, **figures})


def test_the_blast_radius_is_the_impact_that_a_record_tells():
    """Two figures of reach, two of harm; the severity is empty where none follows."""
    impact = radius(live=1200, impaired=1100, lost=2).impact

    assert impact.severity == "SEV1"
    assert {figure.name: (figure.value, figure.weight) for figure in impact.figures} == {
        "Live missions affected": ("1,100 of 1,200", 1100),
        "Tenants affected": ("0 of 2", 0),
        "Missions that lost rows": ("2", 2),
        "Signs of a leak": ("0", 0),
    }
    assert radius().impact.severity == ""


@pytest.mark.parametrize(
    ("figures", "severity"),
    [
        ({}, "none"),
        ({"live": 0}, "none"),
        ({"impaired": 1}, "SEV3"),
        ({"impaired": 2}, "SEV2"),
        ({"impaired": 7}, "SEV2"),
        ({"impaired": 8}, "SEV1"),
        ({"unseen": 8}, "SEV2"),
        ({"lost": 1}, "SEV1"),
        ({"leaks": 1}, "SEV1"),
    ],
)
def test_the_severity_follows_from_the_blast_radius(figures, severity):
    """A quarter is a SEV2, all of them a SEV1, and so is anything lost or leaked."""
    assert radius(**figures).severity == severity


def test_what_is_said_of_it_holds_figures_only():
    """So that it may be said anywhere."""
    assert radius(impaired=2, tenants_affected=1).said == (
        "2 of 8 live missions affected, 1 of 2 tenants"
    )
