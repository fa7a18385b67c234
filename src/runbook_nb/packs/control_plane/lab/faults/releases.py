"""Faults of a release: bad, half rolled back, with no way back, one-way; and two that are none."""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    fly,
    lasting_id,
    now_of,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.faults.release_deploys import (
    deploy_interface,
    prune_interface,
    restore_interface,
    roll_ui_back,
)
from runbook_nb.packs.control_plane.lab.release import COMMIT, labelled
from runbook_nb.packs.control_plane.lab.state import LabState

_RUN = str(lasting_id("what users did during a fault of a release"))
_BAD = "v51"
_FOREIGN = "v52"
_LATER = "v53"
_OTHER_COMMIT = "8602d45"
_FLAG = "planner_step3"
_EVENTS = 60
_EVERY_MS = 25
_USUAL_MS = 600
_SLOW_MS = 5200

# Of five steps two fail, on missions that run; the last of them is as old as the caller says.
_STEPS = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
SELECT mission.id, mission.tenant_id, 'executor', 'Execute', 'execution_step_completed',
       CASE WHEN step.number %% 5 < %(failing)s THEN 'error' ELSE 'success' END::telemetry_level,
       jsonb_build_object('duration_ms', %(duration_ms)s + step.number * 7)
       || %(context)s::jsonb
       || CASE WHEN step.number %% 5 < %(failing)s
               THEN jsonb_build_object('error_code', %(code)s::text) ELSE '{}' END,
       %(run)s, %(first)s + step.number * %(every_ms)s * interval '1 millisecond'
  FROM generate_series(1, %(events)s) AS step (number)
  JOIN LATERAL (SELECT id, tenant_id FROM missions
                 WHERE status = 'in_progress' AND current_stage = 'Execute'
                 ORDER BY id OFFSET step.number %% 8 LIMIT 1) AS mission ON true
"""
_RELEASED = """
INSERT INTO telemetry_events (event_type, status, context, correlation_id)
SELECT kind, level::telemetry_level,
       jsonb_build_object('component', component, 'release', %(release)s::text), %(run)s
  FROM (VALUES ('deployment_started', 'info'), ('deployment_completed', 'success'))
       AS told (kind, level),
       unnest(ARRAY['ui', 'agent']) AS component
"""
_FORGET = "DELETE FROM telemetry_events WHERE correlation_id = %(run)s"

_ADD_COLUMN = "ALTER TABLE mission_artifacts ADD COLUMN IF NOT EXISTS tenant_id uuid"
_FILL_COLUMN = """
UPDATE mission_artifacts AS artifact
   SET tenant_id = mission.tenant_id
  FROM missions AS mission
 WHERE mission.id = artifact.mission_id
   AND artifact.id IN (SELECT id FROM mission_artifacts ORDER BY created_at DESC, id LIMIT 12)
"""
_DROP_COLUMN = "ALTER TABLE mission_artifacts DROP COLUMN IF EXISTS tenant_id"
_ADD_FLAGS = """
CREATE TABLE IF NOT EXISTS feature_flags (flag_name text PRIMARY KEY, enabled boolean NOT NULL);
ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY;
INSERT INTO feature_flags (flag_name, enabled) VALUES ('planner_step3', true), ('pdf_export', true)
ON CONFLICT (flag_name) DO UPDATE SET enabled = excluded.enabled
"""
_DROP_FLAGS = "DROP TABLE IF EXISTS feature_flags"


def _work(
    connection: Connection,
    *,
    failing: int = 0,
    duration_ms: int = _USUAL_MS,
    code: str = "UNEXPECTED_EVENT",
    context: dict[str, str] | None = None,
) -> None:
    """Let users work for a second and a half from now; ``failing`` of five steps fail."""
    first = now_of(connection)
    rows = {"run": _RUN, "first": first, "every_ms": _EVERY_MS, "events": _EVENTS, "code": code}
    rows |= {"failing": failing, "duration_ms": duration_ms, "context": Jsonb(context or {})}
    connection.execute(_STEPS, rows)
    last = _EVENTS * _EVERY_MS / 1000
    until(
        lambda: (now_of(connection) - first).total_seconds() > last,
        within_s=5,
        otherwise="The steps did not end",
    )


def _deploy(lab: LabState, *releases: tuple[str, str], failing: int = 2, code: str = "") -> None:
    """Deploy releases, UI and agent each, one after the other; with the last, steps fail."""
    with superuser(lab) as connection, fly(lab) as api:
        for name, commit in releases:
            deploy_interface(lab, name, commit)
            connection.execute(_RELEASED, {"release": name, "run": _RUN})
            config = {**release(lab), **labelled(name, commit)}
            for machine in api.get("/machines").json():
                api.post(f"/machines/{machine['id']}", json={"config": config})
        _work(connection, failing=failing, code=code or "UNEXPECTED_EVENT")


def deploy_bad(lab: LabState) -> None:
    """Deploy a release of UI and agent with which two of five steps fail."""
    _deploy(lab, (_BAD, COMMIT))


def deploy_and_prune(lab: LabState) -> None:
    """Deploy the bad release, and lose every deployment of the UI before it."""
    _deploy(lab, (_BAD, COMMIT))
    prune_interface(lab)


def deploy_and_part(lab: LabState) -> None:
    """Deploy the bad release, then roll back only the UI."""
    _deploy(lab, (_BAD, COMMIT))
    roll_ui_back(lab)


def deploy_past_return(lab: LabState) -> None:
    """Deploy a release of another schema, then a bad one of today's: the way back is closed."""
    _deploy(lab, (_FOREIGN, _OTHER_COMMIT), (_LATER, COMMIT), code="SAFEGUARD_BYPASSED")


def deploy_one_way(lab: LabState) -> None:
    """Deploy the bad release with a column that only it knows, and rows that use it."""
    with superuser(lab) as connection, connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '3s'")
        # Else the trigger would stamp the rows as changed just now.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_ADD_COLUMN)
        connection.execute(_FILL_COLUMN)
    _deploy(lab, (_BAD, COMMIT))


def slow_down(lab: LabState) -> None:
    """Let every step take eight times as long, without any deploy."""
    with superuser(lab) as connection:
        _work(connection, duration_ms=_SLOW_MS)


def promote_flag(lab: LabState) -> None:
    """Turn two flags on; behind one of them three of five steps fail."""
    with superuser(lab) as connection:
        connection.execute(_ADD_FLAGS)
        _work(connection, failing=3, code="PLANNER_EMPTY", context={"feature_flag": _FLAG})
        _work(connection, context={"feature_flag": "pdf_export"})


def heal_release(lab: LabState) -> None:
    """Run the good release of UI and agent, and forget what the faults left in the database."""
    restore_interface(lab)
    anew = restore_agent(lab)
    with superuser(lab) as connection:
        connection.execute(_FORGET, {"run": _RUN})
        for statement in (_DROP_COLUMN, _DROP_FLAGS):
            connection.execute("SET lock_timeout = '3s'")
            connection.execute(statement)
    restore_live_sessions(lab, anew=anew)


FAULTS: Sequence[Fault] = (
    Fault(
        name="release_bad",
        title="A new release of UI and agent: two of five steps fail since",
        inject=deploy_bad,
        heal=heal_release,
    ),
    Fault(
        name="release_pruned",
        title="A bad release, and a retention that kept no deployment of the UI before it",
        inject=deploy_and_prune,
        heal=heal_release,
    ),
    Fault(
        name="release_unpaired",
        title="After a bad release somebody rolled back the UI, and left the agent",
        inject=deploy_and_part,
        heal=heal_release,
    ),
    Fault(
        name="release_no_way_back",
        title="A bad release whose predecessor was made for another schema",
        inject=deploy_past_return,
        heal=heal_release,
    ),
    Fault(
        name="release_one_way",
        title="A bad release that added a column, which rows use since",
        inject=deploy_one_way,
        heal=heal_release,
    ),
    Fault(
        name="flag_errors",
        title="A feature flag was turned on for all: most steps behind it fail",
        inject=promote_flag,
        heal=heal_release,
    ),
    Fault(
        name="slow_without_deploy",
        title="Steps take eight times as long, and nothing was deployed",
        inject=slow_down,
        heal=heal_release,
    ),
)
