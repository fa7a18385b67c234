"""Every drill of every runbook: the fault is found, and nothing else; it is fixed and proven."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_nb.authoring.drills import find_drills, run_drill
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.runs.engine.spare_kernel import SpareKernel

# A restore looks at the whole history of a database, so no other test may have written any.
ON_THEIR_OWN = {"supabase_backup_restore"}
# The plainest fault of each runbook, for whoever changes something and wants to know soon.
PLAINEST = {
    "alert_fatigue_reduction.threshold_tight",
    "composio_api_outage.composio_away",
    "data_breach_response.bucket_public",
    "gemini_api_quota_exhaustion.model_day_used",
    "evidence_bundle_corruption.evidence_truncated",
    "copilotkit_session_recovery.workspace_lost",
    "dashboard_metric_anomalies.figures_doubled",
    "heartbeat_failure_recovery.agent_dead",
    "incident_response.toolkit_down",
    "inspection_timeout.inspection_lost",
    "library_embedding_degradation.embeddings_missing",
    "oauth_connection_failure.callbacks_lost",
    "oauth_token_rotation.accounts_expired",
    "rate_limit_mitigation.toolkit_throttled",
    "rls_policy_debugging.policy_dropped",
    "rollback_procedure.release_bad",
    "supabase_backup_restore.rows_hidden",
    "telemetry_ingestion_stall.gap_left",
    "undo_failure_handling.undo_claimed",
}
DRILLS = [
    pytest.param(
        drill,
        id=drill.name,
        marks=[pytest.mark.drills, *([pytest.mark.quick] if drill.name in PLAINEST else [])],
    )
    for drill in find_drills()
]


@pytest.fixture
def stage(request, monkeypatch) -> Iterator[None]:
    """Run on the lab that all tests share, or on a fresh one."""
    if request.node.callspec.params["drill"].runbook not in ON_THEIR_OWN:
        request.getfixturevalue("lab")
        yield
        return
    with tempfile.TemporaryDirectory(prefix="runbook-drill-") as folder:
        Path(folder).chmod(0o711)
        own = Lab(Path(folder) / "lab")
        monkeypatch.setenv("RUNBOOK_LAB", str(own.folder))
        own.up()
        yield
        own.down()


@pytest.fixture(scope="session")
def ready() -> Iterator[SpareKernel]:
    """Have a kernel ready behind each drill."""
    with SpareKernel() as kernels:
        yield kernels


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("drill", DRILLS)
def test_the_runbook_finds_and_fixes_exactly_this(drill, ready, tmp_path, monkeypatch):
    """Verdicts, option, actions and verification are those that the experiment names."""
    monkeypatch.setenv("RUNBOOK_INCIDENTS", str(tmp_path))
    shown = io.StringIO()
    result = run_drill(drill, progress=for_stream(shown), say=shown.write, ready=ready)

    assert result.problem == "", shown.getvalue()
    assert result.record.is_file()


def test_every_runbook_has_its_plainest_drill():
    """A new runbook is in the short run too."""
    assert {name.partition(".")[0] for name in PLAINEST} == {each.runbook for each in find_drills()}
    assert {each.name for each in find_drills()} >= PLAINEST
