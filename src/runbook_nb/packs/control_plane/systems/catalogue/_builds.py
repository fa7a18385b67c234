"""What a build of the agent was made for, and what the catalogue has that it has not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

BUILDS: Final = Path(__file__).with_name("builds")
# What the code of a build meets where the catalogue lacks what it names.
SQLSTATES: Final = {"column": "42703", "label": "22P02", "unique key": "42P10", "function": "42883"}
CATALOGUE: Final = """
select 'column' as kind,
       c.relname || '.' || a.attname as name
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
union all
select 'label', t.typname || '.' || e.enumlabel
from pg_enum e
join pg_type t on t.oid = e.enumtypid
where t.typnamespace = 'public'::regnamespace
union all
select 'unique key',
       c.relname || '(' || (
           select string_agg(a.attname, ', ' order by a.attname)
           from pg_attribute a
           where a.attrelid = c.oid and a.attnum = any(i.indkey)
       ) || ')'
from pg_index i
join pg_class c on c.oid = i.indrelid and c.relkind in ('r', 'p')
where c.relnamespace = 'public'::regnamespace
  and i.indisunique
  and i.indisvalid
  and i.indexprs is null
  and i.indpred is null
union all
select 'function', p.proname
from pg_proc p
where p.pronamespace = 'public'::regnamespace
  and not exists (
      select from pg_depend d
      where d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
  )
"""
# PostgreSQL itself writes the question for each place, so that every name is quoted rightly.
QUESTIONS: Final = """
select c.relname || '.' || a.attname as place,
       format('select to_jsonb(t) as row from %%I t where %%I is not null',
              c.relname, a.attname) as question
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  -- The flag store belongs to the platform and to no build.
  and c.relname <> 'feature_flags'
  and c.relname || '.' || a.attname = any(%(columns)s::text[])
union all
select c.relname || '.' || a.attname || ' = ' || e.enumlabel,
       format('select to_jsonb(t) as row from %%I t where %%I = %%L',
              c.relname, a.attname, e.enumlabel)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join pg_enum e on e.enumtypid = t.oid
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  and t.typname || '.' || e.enumlabel = any(%(labels)s::text[])
order by place
"""


def rows_newer_than(systems: Systems) -> Iterator[tuple[str, list[Any]]]:
    """Read the rows of each place that the previous build does not know, where there are any."""
    commit = previous_commit(systems)
    if not _build(commit)["complete"]:
        message = f"The list of build {commit} is not its whole schema: what is new cannot be told."
        raise NoAnswerError(message)
    database = systems.database()
    newer = live_catalogue(systems) - needs_of(commit)
    questions = database.rows(
        QUESTIONS,
        columns=[name for kind, name in newer if kind == "column"],
        labels=[name for kind, name in newer if kind == "label"],
    )
    for asked in questions:
        rows = [row["row"] for row in database.rows(asked["question"].replace("%", "%%"))]
        if rows:
            yield asked["place"], rows


def live_catalogue(systems: Systems) -> set[tuple[str, str]]:
    """Return what the live catalogue has, by kind and name."""
    return {(row["kind"], row["name"]) for row in systems.database().rows(CATALOGUE)}


def needs_of(commit: str) -> set[tuple[str, str]]:
    """Return what a build needs of the catalogue, by kind and name."""
    build = _build(commit)
    return {(kind, name) for kind in SQLSTATES for name in build[kind]}


def _build(commit: str) -> dict[str, Any]:
    path = BUILDS / f"{commit}.json"
    if not path.name.partition(".")[0].isalnum() or not path.exists():
        message = (
            f"Nobody has listed what build {commit!r} needs of the database. "
            f"Known: {', '.join(sorted(known.stem for known in BUILDS.glob('*.json')))}."
        )
        raise NoAnswerError(message)
    build: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return build


def previous_commit(systems: Systems) -> str:
    """Return the commit of the newest release before the running one, as its image says."""
    fly, path = systems.http("fly"), f"/v1/apps/{systems.setting('fly', 'app')}/machines"
    machines = fly.get(path).raise_for_status().json()
    if not machines:
        message = "The agent has no machine, so its previous build is not known."
        raise NoAnswerError(message)
    running = _number(machines[0]["config"])
    versions = fly.get(f"{path}/{machines[0]['id']}/versions").raise_for_status().json()
    configs = [version["user_config"] for version in versions]
    earlier = [config for config in configs if _number(config) < running]
    if not earlier:
        message = f"No release before {running} of the agent is known."
        raise NoAnswerError(message)
    return str(max(earlier, key=_number)["metadata"].get("commit", ""))


def _number(config: dict[str, Any]) -> int:
    return int(config.get("metadata", {}).get("fly_release_version", 0))
