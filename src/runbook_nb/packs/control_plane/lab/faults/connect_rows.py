"""Customers who connect: missions in Prepare, their links here and at Composio, what browsers told.

The rows are those that the platform writes; what came of each link at Composio is told to Composio.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg.types.json import Jsonb

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import begin_anew, provide
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    lasting_id,
    superuser,
)
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES
from runbook_nb.packs.control_plane.lab.state import LabState

_MOST: Final = 160
MISSIONS: Final = [lasting_id(f"a mission that connects {number}") for number in range(_MOST)]
_SCOPES: Final = {one.slug: list(one.scopes) for theme in THEMES for one in theme.toolkits}

_MISSION = """
with like_it as (
    select m.* from missions m join tenants t on t.id = m.tenant_id and t.slug = %(tenant)s
    where m.status = 'completed' order by m.created_at desc limit 1
),
mission as (
    insert into missions (id, tenant_id, title, persona_id, owner_id, owner_role, status,
                          current_stage, readiness, priority, intent, created_at, updated_at,
                          brief_locked_at)
    select %(mission)s, tenant_id, title, persona_id, owner_id, owner_role, %(status)s,
           %(stage)s, 'needs_auth', priority, intent, at, at, at
    from like_it, lateral (select now() - %(age_min)s * interval '1 minute'
                                        - interval '3 minutes' as at) as began
    returning id, tenant_id, created_at
)
insert into mission_stage_status (mission_id, stage, status, readiness_state, blocking_reason,
                                  started_at, completed_at, updated_at)
select id, stage::mission_stage, state::stage_progress_state, readiness::readiness_state, reason,
       created_at, ended, created_at
from mission, lateral (values
    ('Home', 'completed', 'unknown', null, created_at),
    ('Define', 'completed', 'unknown', null, created_at),
    ('Prepare', 'pending', 'needs_auth', 'Waiting for a connection', null::timestamptz)
) as stages (stage, state, readiness, reason, ended)
returning mission_id
"""
_SELECTION = """
insert into toolkit_selections (mission_id, toolkit_slug, stage, recommended, rank, metadata,
                                created_at)
values (%(mission)s, %(toolkit)s, 'Prepare', true, 1, '{"auth_required": true}',
        now() - %(age_min)s * interval '1 minute')
"""
_LINK = """
insert into mission_connections (mission_id, toolkit_slug, connect_link_id, requested_scopes,
                                 granted_scopes, status, requested_at, approved_at, expires_at,
                                 metadata)
select %(mission)s, %(toolkit)s, %(link)s, %(asked)s, %(granted)s, %(row)s::connection_status, at,
       case when %(row)s = 'approved' then at + interval '40 seconds' end,
       case when %(row)s = 'approved' then at + interval '60 days' end,
       jsonb_build_object('connected_account', %(account)s::text, 'state', %(link)s || '-state')
from (select now() - %(age_min)s * interval '1 minute' as at) as began
"""
_EVENT = """
insert into telemetry_events (mission_id, tenant_id, agent_name, stage, event_type, status, context,
                              created_at)
select m.id, m.tenant_id, 'inspector', 'Prepare', %(event)s, %(level)s::telemetry_level,
       jsonb_build_object('mission_id', m.id, 'tenantId', m.tenant_id, 'stage', 'Prepare')
           || %(context)s,
       now() - %(age_min)s * interval '1 minute' + interval '1 second'
from missions m where m.id = %(mission)s
"""
_FORGET = """
delete from missions where id = any(%(missions)s);
alter table mission_connections drop column if exists updated_at;
"""


@dataclass(frozen=True, kw_only=True)
class Customer:
    """One customer's attempt, ``age_min`` ago; without ``linked`` no link was ever made.

    ``state`` is Composio's of the account, for its ``reason``; ``row`` is ours. ``told`` is the
    error code that the browser told.
    """

    tenant: str
    toolkit: str
    age_min: float
    state: str = "INITIATED"
    reason: str | None = None
    row: str = "initiated"
    linked: bool = True
    told: str = ""
    granted: tuple[str, ...] = ()
    stage: str = "Prepare"
    status: str = "in_progress"
    context: dict[str, Any] = field(default_factory=dict)


def group(
    number: int, *, tenant: str, toolkit: str, from_min: float, step_min: float = 3, **more: Any
) -> list[Customer]:
    """Return so many customers of one tenant, the youngest first."""
    return [
        Customer(tenant=tenant, toolkit=toolkit, age_min=from_min + step_min * place, **more)
        for place in range(number)
    ]


def connect(lab: LabState, customers: Sequence[Customer], *, silent: bool = False) -> None:
    """Have these customers tried to connect; ``silent`` leaves out every event of it."""
    if len(customers) > _MOST:
        raise LabError(f"{len(customers)} customers are too many.")
    links = []
    with superuser(lab) as connection, connection.transaction():
        for number, one in enumerate(customers):
            tenant_id = _mission(connection, number, one)
            if not one.linked:
                continue
            account = f"ca_lab{number:04d}"
            _link(connection, number, one, account, silent=silent)
            links.append(_at_composio(one, account, tenant_id))
    provide(lab, links=links)


def heal_links(lab: LabState) -> None:
    """Forget the customers, here and at Composio, and have the table as it was."""
    begin_anew(lab)
    with superuser(lab) as connection:
        connection.execute("set lock_timeout = '5s'")
        connection.execute(_FORGET.replace("%(missions)s", _literal(MISSIONS)).encode())


def _literal(ids: Sequence[object]) -> str:
    """Return ids as an SQL array: several statements in one text take no parameters."""
    return "array[" + ", ".join(f"'{one}'::uuid" for one in ids) + "]"


def _mission(connection: Connection, number: int, one: Customer) -> str:
    about = {"mission": MISSIONS[number], "age_min": one.age_min, "toolkit": one.toolkit}
    more = {"tenant": one.tenant, "stage": one.stage, "status": one.status}
    connection.execute(_MISSION, {**about, **more})
    connection.execute(_SELECTION, about)
    row = connection.execute(
        "select tenant_id::text from missions where id = %s", [MISSIONS[number]]
    ).fetchone()
    if row is None:
        raise LabError(f"The tenant {one.tenant} has no mission to be like.")
    return str(row[0])


def _link(
    connection: Connection, number: int, one: Customer, account: str, *, silent: bool
) -> None:
    link, asked = f"lk_lab{number:04d}", _SCOPES[one.toolkit]
    connection.execute(
        _LINK,
        {
            "mission": MISSIONS[number],
            "toolkit": one.toolkit,
            "link": link,
            "asked": Jsonb(asked),
            "granted": Jsonb(list(one.granted or asked) if one.row == "approved" else []),
            "row": one.row,
            "age_min": one.age_min,
            "account": account,
        },
    )
    about = {"toolkit": one.toolkit, "connect_link_id": link}
    events = [("composio_auth_flow", "info", {"status": "initiated", "scopes_requested": asked})]
    if one.told:
        events.append(("error_surface_viewed", "warning", {"error_code": one.told}))
    if one.row == "approved":
        events.append(("composio_auth_flow", "info", {"status": "approved"}))
    for event, level, context in events if not silent else ():
        values = {"event": event, "level": level, "context": Jsonb({**about, **context})}
        more = {"mission": MISSIONS[number], "age_min": one.age_min}
        connection.execute(_EVENT, {**values, **more})


def _at_composio(one: Customer, account: str, tenant_id: str) -> dict[str, Any]:
    active = one.state == "ACTIVE"
    return {
        "id": account,
        "user_id": tenant_id,
        "toolkit": one.toolkit,
        "age_s": one.age_min * 60,
        "state": one.state,
        "reason": one.reason,
        "scopes": list(one.granted) or (_SCOPES[one.toolkit] if active else []),
    }
