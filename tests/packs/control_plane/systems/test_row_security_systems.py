"""Row level security on the real lab: who reads what, what differs, and how it is put back."""

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, WriteRefusedError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.systems import (
    claims,
    grants,
    helper_functions,
    policies,
    views,
    visibility,
    write_probe,
)
from runbook_nb.packs.control_plane.systems import policy_cost as cost
from runbook_nb.packs.control_plane.systems.claims.probes import _problems
from runbook_nb.packs.control_plane.systems.policies._policies import POLICIES
from runbook_nb.packs.control_plane.systems.visibility.probes import EXPECTED as PROMISED
from runbook_nb.packs.control_plane.systems.write_probe.actions import CALLERS

pytestmark = pytest.mark.slow

MISSIONS = visibility.matrix(group="missions")
EVENTS = visibility.matrix(group="events")
VIEWS = visibility.matrix(group="views")


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)


def line(hands, probe, name):
    """Return one line of the matrix."""
    return next(row for row in hands.read(probe).detail if row["Table or view"] == name)


def test_the_healthy_lab_passes_every_reading(hands):
    """Nothing is new: what the platform was made with is known and named."""
    for group in ("missions", "events", "views"):
        assert hands.value(visibility.matrix(group=group)) == "as promised"
    for probe in (
        policies.drift(),
        policies.switched_off(),
        grants.drift(),
        grants.bypassing(),
        views.leaking(),
        views.known_leaks(accepted=True),
        helper_functions.drift(),
        helper_functions.definers(),
        claims.misshapen(),
    ):
        assert hands.value(probe) == 0, probe
    assert hands.value(cost.cost()) < 100
    assert len(POLICIES.brought) == 46


def test_the_matrix_counts_as_each_caller(hands):
    """Anon sees nothing of a mission, a tenant its own, governance both."""
    safeguards = line(hands, MISSIONS, "mission_safeguards")
    assert safeguards["anon"] == 0
    assert safeguards["tenant A"] + safeguards["tenant B"] == safeguards["governance"] > 0
    assert safeguards["analytics"] < safeguards["governance"]
    assert line(hands, MISSIONS, "tenants")["tenant A"] == 0
    known = [row["Table or view"] for row in hands.read(VIEWS).detail if "known" in row["verdict"]]
    assert sorted(known) == sorted(PROMISED["known leaks"])


def test_the_matrix_takes_the_tenant_that_reports(hands):
    """Tenant A is the one named; a slug that nobody has is no answer."""
    named = visibility.matrix(group="missions", tenant="harbourlight")
    assert (
        line(hands, named, "missions")["tenant A"] == line(hands, MISSIONS, "missions")["tenant B"]
    )
    with pytest.raises(NoAnswerError, match="nobody"):
        hands.read(visibility.matrix(group="missions", tenant="nobody"))


def test_a_probe_cannot_write_in_any_callers_name(hands):
    """Becoming another caller does not make the transaction writable."""
    reading = hands.environment.reading([])
    inserting = "with new as (insert into personas (name) values ('x') returning 1) select 1"
    try:
        viewer = reading.database("viewer")
        with viewer.transaction(rollback=True):
            viewer.rows("select set_config('role', 'authenticated', true)")
            with pytest.raises(WriteRefusedError):
                viewer.rows(inserting)
        for database in (viewer, reading.database()):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.rows("select set_config('role', 'service_role', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reading.database().rows("select set_config('role', 'authenticated', false)")
    finally:
        reading.close()


def test_the_reader_inherits_nothing_of_the_callers(lab):
    """What the API roles may write, the reader may not in its own name."""
    with psycopg.connect(Lab(lab.folder).dsn("runbook_reader"), autocommit=True) as reader:
        reader.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("insert into personas (name) values ('Intruder')")


@pytest.mark.parametrize(
    ("fault", "system", "check", "result", "seen"),
    [
        pytest.param(
            *("policy_dropped", policies, policies.drift(), "policies", (EVENTS, "denied")),
            marks=pytest.mark.holds("policies.restore"),
        ),
        pytest.param(
            *("policy_widened", policies, policies.drift(), "policies", (MISSIONS, "leak")),
            marks=pytest.mark.holds("policies.restore"),
        ),
        pytest.param(
            *("grant_removed", grants, grants.drift(), "granted", (MISSIONS, "denied")),
            marks=pytest.mark.holds("grants.restore"),
        ),
        pytest.param(
            *("view_leaks", views, views.leaking(), "closed", (VIEWS, "leak")),
            marks=pytest.mark.holds("views.close"),
        ),
        pytest.param(
            *("helper_loosened", helper_functions, helper_functions.drift()),
            *("functions", (VIEWS, "leak")),
            marks=pytest.mark.holds("helper_functions.restore"),
        ),
    ],
    indirect=["fault"],
)
@pytest.mark.usefixtures("fault")
def test_a_repair_is_rehearsed_done_and_undone(hands, system, check, result, seen):
    """The rehearsal says what then changes and changes nothing; the undo brings the fault back."""
    matrix, word = seen
    action = system.close() if system is views else system.restore()
    assert hands.value(check) == 1
    assert hands.value(matrix) == word
    rehearsed = hands.rehearse(action)
    assert hands.value(check) == 1

    done = hands.do(action)
    assert done == rehearsed
    assert len(done[result]) == 1
    assert hands.value(check) == 0
    assert hands.value(matrix) == "as promised"
    again = hands.do(action)
    assert again[result] == []
    hands.undo(action, again)
    assert hands.value(check) == 0

    hands.undo(action, done)
    assert hands.value(check) == 1
    assert hands.value(matrix) == word


@pytest.mark.parametrize("fault", ["row_security_off"], indirect=True)
@pytest.mark.holds("policies.switch_on", undo=False)
def test_row_level_security_is_switched_on_and_never_off(fault, hands):
    """It has no undo, and says so."""
    action = policies.switch_on()
    assert hands.value(MISSIONS) == "leak"
    rehearsed = hands.rehearse(action)
    assert hands.value(policies.switched_off()) == 1

    assert (
        hands.do(action)
        == rehearsed
        == {"switched on": [{"table": "mission_feedback", "policies": 2}]}
    )
    assert hands.value(policies.switched_off()) == 0
    assert hands.value(MISSIONS) == "as promised"
    assert hands.do(action) == {"switched on": []}
    assert action.irreversible
    assert action.undo is None


@pytest.mark.parametrize("fault", ["claims_nested"], indirect=True)
def test_a_tenant_in_user_metadata_is_the_tokens_fault(fault, hands):
    """The database is as committed, and the matrix as promised."""
    found = hands.read(claims.misshapen())
    assert found.value == 4
    assert "user_metadata" in found.detail[0]["problem"]
    assert hands.value(MISSIONS) == "as promised"
    assert hands.value(policies.drift()) == hands.value(grants.drift()) == 0


def test_odd_claims_are_named():
    """A string of roles and a tenant that is no UUID end every query in an error."""
    assert list(_problems({"tenant_id": "acme", "roles": "service"})) == [
        "roles is str, not an array: every query ends in an error",
        "tenant_id is no UUID: every query ends in an error",
    ]
    assert list(_problems({"roles": ["governance"]})) == []


@pytest.mark.holds("views.close_known")
def test_the_known_leaks_are_closed_and_opened_again(hands):
    """Two views ask as their caller, five materialized views are refused; no check minds."""
    action, check = views.close_known(), views.known_leaks(accepted=False)
    before = hands.value(check)
    rehearsed = hands.rehearse(action)
    assert hands.value(check) == before == 8

    done = hands.do(action)
    try:
        assert done == rehearsed
        assert len(done["closed"]) == 7
        assert hands.value(check) == 1
        assert hands.value(grants.drift()) == hands.value(views.leaking()) == 0
        assert hands.value(VIEWS) == "as promised"
        assert all(row["verdict"] == "as promised" for row in hands.read(VIEWS).detail)
        assert hands.do(action)["closed"] == []
    finally:
        hands.undo(action, done)
    assert hands.value(check) == before
    assert hands.value(grants.drift()) == 0


@pytest.mark.holds("policies.protect_personas", undo=False)
def test_personas_are_protected_for_good(lab, hands):
    """Everybody still reads them; nobody but the service writes them."""
    action = policies.protect_personas()
    rehearsed = hands.rehearse(action)
    owner = psycopg.connect(Lab(lab.folder).dsn(), autocommit=True)
    try:
        assert (
            hands.do(action)
            == rehearsed
            == {"protected": [{"table": "personas", "policy": "personas_read"}]}
        )
        assert hands.do(action) == {"protected": []}
        assert line(hands, MISSIONS, "personas")["anon"] == 4
        assert hands.value(policies.drift()) == hands.value(policies.switched_off()) == 0
        with owner.transaction(force_rollback=True):
            owner.execute("set local role anon")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute("insert into personas (name) values ('Anyone')")
    finally:
        # As on the platform: only a test may do this, and only to a lab.
        owner.execute("alter table personas disable row level security")
        owner.execute("drop policy if exists personas_read on personas")
        owner.close()


@pytest.mark.holds("write_probe.writes", undo=False)
def test_writes_are_tried_as_each_caller_and_change_nothing(lab, hands):
    """They end as the platform's policies say, done or rehearsed."""
    action = write_probe.writes()
    stamps = "select max(updated_at) from missions where status = 'archived'"
    with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as owner:
        before = owner.execute(stamps).fetchone()
        tried = {row["Table"]: row for row in hands.do(action)}
        assert owner.execute(stamps).fetchone() == before
    assert {row["Table"]: row for row in hands.rehearse(action)} == tried

    def may(table):
        return [caller for caller in CALLERS if tried[table][caller] == "may"]

    assert len(tried) == 24
    assert may("missions") == ["tenant A", "service"]
    assert may("mission_safeguards") == ["tenant A", "governance", "analytics", "service"]
    assert may("telemetry_events") == may("library_embeddings") == ["service"]
    assert may("tenants") == may("mission_connections") == []
    assert len(may("personas")) == len(CALLERS)
