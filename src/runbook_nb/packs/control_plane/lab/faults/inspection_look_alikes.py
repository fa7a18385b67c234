"""What looks like a slow inspection, and is a large account, a customer, a refusal, or a pause."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.inspection_hands import (
    JOURNAL,
    await_ended,
    heal,
    inspect,
    prepare,
    toolkit_of,
)
from runbook_nb.packs.control_plane.lab.faults.journal import change, row_fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import API, break_composio, provide
from runbook_nb.packs.control_plane.lab.state import LabState

_LINK_WAITS: Final = """
update mission_connections
   set status = 'initiated', approved_at = null, requested_at = now() - interval '9 minutes',
       expires_at = now() + interval '1 minute'
 where mission_id::text = any(%(missions)s)
"""
_INSPECTED: Final = """
insert into data_inspection_checks
       (mission_id, toolkit_slug, coverage_percent, sample_count, outcome)
select x.mission_id, x.toolkit_slug, 100, 400, 'pass'
  from toolkit_selections x
 where x.mission_id::text = any(%(missions)s)
   and not exists (
       select from mission_connections c
        where c.mission_id = x.mission_id and c.toolkit_slug = x.toolkit_slug)
"""
_STOPPED: Final = """
update missions set status = 'blocked' where id::text = any(%(missions)s)
"""
_NEW_TENANT: Final = """
insert into tenants (slug, name) values ('quayside', 'Quayside Foods')
"""
_NEW_MISSION: Final = """
insert into missions (tenant_id, title, status, current_stage)
select id, 'Sort incoming invoices', 'draft', 'Prepare' from tenants where slug = 'quayside'
"""
_NEW_STAGE: Final = """
insert into mission_stage_status (mission_id, stage, status)
select m.id, 'Prepare', 'pending'
  from missions m join tenants t on t.id = m.tenant_id
 where t.slug = 'quayside'
"""


def _large(lab: LabState) -> None:
    """Have a large account be read in six seconds, as much of it as is usual."""
    missions = prepare(lab, count=1)
    provide(lab, volumes=[{"rows": 90_000, "page_s": 1.2}])
    inspect(lab, missions)


def _await_consent(lab: LabState) -> None:
    missions = prepare(lab, ago="9 min")
    given = {"missions": missions}
    tables = ("mission_connections", "data_inspection_checks")
    change(lab, _LINK_WAITS, _INSPECTED, fault=JOURNAL, tables=tables, given=given)


def _refuse(lab: LabState) -> None:
    """Have a provider refuse for too many calls: the inspections end at once."""
    missions = prepare(lab)
    provide(lab, throttles=[{"toolkit": toolkit_of(lab, missions)}])
    inspect(lab, missions)
    await_ended(lab)


def _fail(lab: LabState) -> None:
    """Have a toolkit answer 502: the inspections end at once."""
    missions = prepare(lab)
    path = f"{API}/tools/execute/{toolkit_of(lab, missions).upper()}_"
    break_composio(lab, path=path, status=502, body="bad gateway")
    inspect(lab, missions)
    await_ended(lab)


def _stop(lab: LabState) -> None:
    missions = prepare(lab, ago="2 hours")
    change(lab, _STOPPED, fault=JOURNAL, tables=("missions",), given={"missions": missions})


FAULTS: Final = (
    *(
        Fault(name=name, title=title, inject=inject, heal=heal)
        for name, title, inject in (
            ("inspection_large", "A large account is read within its time", _large),
            ("inspection_awaits_consent", "Missions wait for a customer's consent", _await_consent),
            ("inspection_refused", "A provider refuses what is inspected", _refuse),
            ("inspection_failed", "A toolkit that is inspected answers 502", _fail),
            ("inspection_stopped", "Missions in Prepare were stopped by a person", _stop),
        )
    ),
    row_fault(
        "inspection_new_tenant",
        "A tenant that has never inspected anything comes to Prepare",
        _NEW_TENANT,
        _NEW_MISSION,
        _NEW_STAGE,
        tables=["tenants", "missions", "mission_stage_status"],
    ),
)
