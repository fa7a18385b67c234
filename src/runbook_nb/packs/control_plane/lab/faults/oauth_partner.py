"""The hands for faults of connections: Composio's API, its providers, and the platform's rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.composio import PROVIDER
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, fly, superuser
from runbook_nb.packs.control_plane.lab.fly import APP
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret, secrets_folder, write_secret

API = "/api/v3.1"
KEY = "composio.token"
AGENT_VARIABLE = "COMPOSIO_TOKEN"

# The tenant and toolkit that most missions at work are connected to.
_BUSIEST = """
select m.tenant_id::text as user_id, c.toolkit_slug as toolkit
from mission_connections c
join missions m on m.id = c.mission_id
where m.status = 'in_progress' and m.current_stage = 'Execute' and c.status = 'approved'
group by m.tenant_id, c.toolkit_slug
order by count(*) desc, m.tenant_id, c.toolkit_slug
limit 1
"""

# Rows as they were are kept in a table of their own, out of reach of every role but the owner.
_KEEP = """
create schema if not exists lab_faults;
create table if not exists lab_faults.connections as table mission_connections;
"""
_RESTORE = """
alter table mission_connections drop column if exists updated_at;
delete from mission_connections;
insert into mission_connections select * from lab_faults.connections;
drop table lab_faults.connections;
drop schema lab_faults;
"""
_KEPT = "select to_regclass('lab_faults.connections') is not null"


def busiest(connection: Connection) -> dict[str, str]:
    """Return the tenant and the toolkit that most missions at work use."""
    row = connection.execute(_BUSIEST).fetchone()
    if row is None:
        raise LabError("No mission at work has an approved connection; heal the lab first.")
    return {"user_id": row[0], "toolkit": row[1]}


def keep_rows(connection: Connection) -> None:
    """Keep the rows of connections as they are, unless they are kept already."""
    connection.execute(_KEEP)


def restore_rows(lab: LabState) -> None:
    """Put the rows of connections back as they were kept, and the table as it was."""
    with superuser(lab) as connection:
        kept = connection.execute(_KEPT).fetchone()
        if kept == (True,):
            with connection.transaction():
                connection.execute("set local session_replication_role = replica")
                connection.execute(_RESTORE)


@contextmanager
def composio(lab: LabState) -> Iterator[httpx.Client]:
    """Open Composio's API with the project's key."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['composio']}",
        headers={"x-api-key": read_secret(lab.folder, KEY)},
        timeout=5,
        trust_env=False,
        verify=NO_CERTIFICATES,
    ) as client:
        yield client


def provide(lab: LabState, **what: object) -> None:
    """Bring about at Composio what its providers, its customers or time do."""
    with composio(lab) as client:
        answer = client.post(PROVIDER, json=what)
        if answer.is_error:
            raise LabError(f"Composio's emulator refused {sorted(what)}: {answer.text[:200]}")


def accounts_of(lab: LabState, about: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the accounts of a user and toolkit, the newest first."""
    params = {"user_ids": about["user_id"], "toolkit_slugs": about["toolkit"], "limit": "100"}
    with composio(lab) as client:
        found: list[dict[str, Any]] = client.get(f"{API}/connected_accounts", params=params).json()[
            "items"
        ]
    return found


def break_composio(lab: LabState, **outage: object) -> None:
    """Have Composio's API misbehave."""
    with composio(lab) as client:
        client.post(OUTAGE, json={"path": "/api", **outage}).raise_for_status()


def begin_anew(lab: LabState) -> None:
    """End outages, forget what happened at Composio, and keep the one key that the platform has.

    The agent gets that key too, if it had another one.
    """
    for word in ("next", "previous", "unfinished"):
        (secrets_folder(lab.folder) / f"{KEY}.{word}").unlink(missing_ok=True)
    with composio(lab) as client:
        client.delete(OUTAGE).raise_for_status()
        client.delete(PROVIDER).raise_for_status()
    value = read_secret(lab.folder, KEY)
    with fly(lab) as api:
        path = f"http://127.0.0.1:{lab.ports['fly']}/v1/apps/{APP}/secrets"
        before = api.get(path).json()
        after = api.post(path, json={"values": {AGENT_VARIABLE: value}}).json()
        if after["secrets"][0] not in before["secrets"]:
            for machine in api.get("/machines").json():
                api.post(f"/machines/{machine['id']}/restart")


def second_key(lab: LabState, value: str) -> None:
    """Do what a person does to begin a rotation: make a second key and put it beside the first."""
    provide(lab, new_key=value)
    write_secret(lab.folder, f"{KEY}.next", value)
