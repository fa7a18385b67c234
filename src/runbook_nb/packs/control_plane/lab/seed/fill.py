"""Fills an empty lab database with rows that are the same for the same time and seed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from runbook_nb.packs.control_plane.lab.seed.define import write_define, write_home, write_mission
from runbook_nb.packs.control_plane.lab.seed.execute import write_execute
from runbook_nb.packs.control_plane.lab.seed.jobs import write_job_runs
from runbook_nb.packs.control_plane.lab.seed.library import write_library
from runbook_nb.packs.control_plane.lab.seed.missions import Mission, Tenant, new_tenants
from runbook_nb.packs.control_plane.lab.seed.personas import cast_live, cast_past
from runbook_nb.packs.control_plane.lab.seed.plan import write_approve, write_plan
from runbook_nb.packs.control_plane.lab.seed.prepare import write_prepare
from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.reflect import write_reflect
from runbook_nb.packs.control_plane.lab.seed.rows import Rows
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.users import write_users
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage
from runbook_nb.packs.control_plane.lab.seed.workspace import write_workspace

_PERSONAS = "SELECT name, id::text FROM public.personas"

_WRITERS: dict[Stage, Callable[[Story], None]] = {
    Stage.HOME: write_home,
    Stage.DEFINE: write_define,
    Stage.PREPARE: write_prepare,
    Stage.PLAN: write_plan,
    Stage.APPROVE: write_approve,
    Stage.EXECUTE: write_execute,
    Stage.REFLECT: write_reflect,
}

# The tenants have been customers for some time.
_CUSTOMERS_SINCE = timedelta(days=200)


# The past is the same for a while, so that labs may begin with a copy of it.
_PAST_LASTS = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What runs now is drawn apart from the past: no id may be drawn twice.
_PRESENT = 1 << 32


def seed(connection: psycopg.Connection, *, now: datetime, random_seed: int = 7) -> None:
    """Fill an empty database as of `now` (aware), refresh its views and analyse it.

    Equal `now` and `random_seed` give equal rows, ids included. Raises psycopg.Error when the
    schema is missing or the database is not empty; then nothing is written.
    """
    with connection.transaction():
        seed_past(connection, now=now, random_seed=random_seed)
        seed_present(connection, now=now, random_seed=random_seed)


def end_of_past(now: datetime) -> datetime:
    """Return the moment as of which the past of `now` is written, at most 15 minutes before."""
    # Office hours are those of UTC, whatever zone the caller counts in.
    return now.astimezone(UTC) - (now - _EPOCH) % _PAST_LASTS


def seed_past(connection: psycopg.Connection, *, now: datetime, random_seed: int = 7) -> None:
    """Write all that is over or waits: the first half of `seed`, equal for a quarter of an hour."""
    ended = end_of_past(now)
    chance = Chance(random_seed)
    tenants = new_tenants(chance)
    rows = Rows()
    with connection.transaction():
        personas = _name_personas(connection, chance)
        missions = cast_past(chance, tenants=tenants, personas=personas, now=ended)
        _write_tenants(rows, tenants, now=ended)
        _write_missions(rows, chance, missions, now=ended)
        write_library(rows, chance, tenants=tenants, missions=missions, now=ended)
        write_workspace(rows, chance, tenants=tenants, now=ended)
        rows.write(connection)
        write_users(connection, now=ended)


def seed_present(connection: psycopg.Connection, *, now: datetime, random_seed: int = 7) -> None:
    """Write what runs at this moment and what hangs on it: the second half of `seed`."""
    now = now.astimezone(UTC)
    chance = Chance(random_seed + _PRESENT)
    tenants = new_tenants(Chance(random_seed))
    rows = Rows()
    with connection.transaction():
        personas: dict[str, str] = dict(connection.execute(_PERSONAS).fetchall())
        missions = cast_live(chance, tenants=tenants, personas=personas, now=now)
        _write_missions(rows, chance, missions, now=now)
        rows.write(connection)
        write_job_runs(connection, chance, now=now)
        connection.execute("SELECT public.refresh_analytics_views()")
        connection.execute("ANALYZE")


def _name_personas(connection: psycopg.Connection, chance: Chance) -> dict[str, str]:
    """Give the schema's personas ids that are the same in every lab, and return them by name."""
    names = connection.execute("SELECT name FROM public.personas ORDER BY name").fetchall()
    personas = {name: chance.id() for (name,) in names}
    for name, persona_id in personas.items():
        connection.execute("UPDATE public.personas SET id = %s WHERE name = %s", (persona_id, name))
    return personas


def _write_tenants(rows: Rows, tenants: Sequence[Tenant], *, now: datetime) -> None:
    for tenant in tenants:
        rows.add(
            "tenants",
            {
                "id": tenant.id,
                "slug": tenant.slug,
                "name": tenant.name,
                "metadata": {"plan": "team"},
                "created_at": now - _CUSTOMERS_SINCE,
                "updated_at": now - _CUSTOMERS_SINCE,
            },
        )


def _write_missions(
    rows: Rows, chance: Chance, missions: Sequence[Mission], *, now: datetime
) -> None:
    for mission in missions:
        story = Story.of(mission, rows=rows, chance=chance, now=now)
        write_mission(story)
        for stage in mission.spans:
            _WRITERS[stage](story)
