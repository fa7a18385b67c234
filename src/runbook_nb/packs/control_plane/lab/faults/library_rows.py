"""The hands for faults of the library: its rows as they were, its index, and its settings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import psycopg

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.seed.embedding_model import embed, unit
from runbook_nb.packs.control_plane.lab.state import LabState

INDEX = "idx_library_embeddings_embedding"
# Longer ago than the job that embeds new and changed texts takes.
SETTLED = timedelta(hours=2)

# The rows as they were, out of reach of every role but the owner.
_KEEP = """
create schema if not exists lab_library;
create table if not exists lab_library.entries as table library_entries;
create table if not exists lab_library.embeddings as table library_embeddings;
create table if not exists lab_library.intents as select id, intent from missions;
"""
_KEPT = "select to_regclass('lab_library.embeddings') is not null"
_RESTORE = """
delete from library_embeddings v
where not exists (
    select from lab_library.embeddings k
    where (k.entry_id, k.embedding::text, k.embedding_provider, k.embedding_model, k.updated_at)
          is not distinct from
          (v.entry_id, v.embedding::text, v.embedding_provider, v.embedding_model, v.updated_at));
delete from library_entries e
where not exists (select from lab_library.entries k where k.id = e.id);
update library_entries e
set title = k.title, description = k.description, category = k.category,
    tenant_id = k.tenant_id, updated_at = k.updated_at
from lab_library.entries k
where k.id = e.id and to_jsonb(k) is distinct from to_jsonb(e);
update missions m
set intent = k.intent
from lab_library.intents k
where k.id = m.id and k.intent <> m.intent;
insert into library_embeddings select * from lab_library.embeddings on conflict do nothing;
drop schema lab_library cascade;
drop table if exists runbook.embeddings_before;
drop schema if exists runbook;
"""
_INDEXES = """
select c.relname::text
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am a on a.oid = c.relam
where i.indrelid = 'public.library_embeddings'::regclass
  and a.amname <> 'btree'
"""
_NEW_INDEX = f"""
create index {INDEX} on library_embeddings using hnsw (embedding vector_cosine_ops)
"""
_WRITE = """
insert into library_embeddings
    (entry_id, embedding, embedding_provider, embedding_model, updated_at)
values (%s, %s, 'google', %s, now() - interval '1 hour')
on conflict (entry_id) do update
set embedding = excluded.embedding, embedding_model = excluded.embedding_model,
    updated_at = excluded.updated_at
"""
FUNCTION = "search_library_entries(vector, double precision, integer)"
ROLES = ("authenticator", "authenticated", "service_role", "agent_service")
_SETTINGS = ("hnsw.ef_search", "hnsw.iterative_scan")


@contextmanager
def changing(lab: LabState) -> Iterator[Connection]:
    """Change the library around its triggers, its rows kept as they were."""
    with superuser(lab) as connection:
        connection.execute(_KEEP)
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            yield connection
        connection.execute("analyze library_entries; analyze library_embeddings")


def entry_ids(connection: Connection, where: str = "true", *, count: int) -> list[str]:
    """Return so many entries that meet a condition, spread over all subjects."""
    rows = connection.execute(
        f"""
        select e.id::text from library_entries e
        left join tenants t on t.id = e.tenant_id
        where {where}
        order by row_number() over (partition by e.category order by md5(e.id::text)),
                 md5(e.id::text)
        limit %s
        """.encode(),
        (count,),
    ).fetchall()
    if len(rows) < count:
        raise LabError("The library has too few such entries; heal the lab first.")
    return [row[0] for row in rows]


def write_vectors(
    connection: Connection, texts: Sequence[tuple[str, str]], *, model: str, label: str = ""
) -> None:
    """Give entries the vectors of these texts by a model, told as ``label`` or as that model."""
    with connection.cursor() as cursor:
        cursor.executemany(
            _WRITE,
            [
                (entry, vector_text(unit(embed(text, model=model))), label or model)
                for entry, text in texts
            ],
        )


def texts_of(connection: Connection, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return the text of each entry as it is embedded."""
    rows = connection.execute(
        "select id::text, title || e'\\n' || coalesce(description, '') from library_entries"
        " where id = any(%s::uuid[])",
        (list(ids),),
    )
    return [(row[0], row[1]) for row in rows]


def vector_text(vector: Sequence[float]) -> str:
    """Write a vector as pgvector reads it."""
    return f"[{','.join(f'{number:.6f}' for number in vector)}]"


def restore_library(lab: LabState) -> None:
    """Put rows, index and settings back as they were."""
    with superuser(lab) as connection:
        kept = connection.execute(_KEPT).fetchone()
        if kept == (True,):
            with connection.transaction():
                connection.execute("set local session_replication_role = replica")
                connection.execute(_RESTORE)
        _restore_settings(connection)
        for (name,) in connection.execute(_INDEXES).fetchall():
            connection.execute(f'drop index public."{name}"'.encode())
        connection.execute(_NEW_INDEX.encode())
        connection.execute("analyze library_entries; analyze library_embeddings")


def _restore_settings(connection: Connection) -> None:
    for name in _SETTINGS:
        for whose in ("database postgres", *(f"role {role}" for role in ROLES)):
            connection.execute(f"alter {whose} reset {name}".encode())
        connection.execute(f"alter function {FUNCTION} reset {name}".encode())


def break_build(lab: LabState, statement: str) -> None:
    """Have a concurrent build fail midway, as a cancelled one does: it leaves an invalid index."""
    with (
        superuser(lab) as writer,
        superuser(lab) as builder,
        writer.transaction(force_rollback=True),
    ):
        # A transaction that has written makes the build wait, until it is cancelled.
        writer.execute("lock table library_embeddings in row exclusive mode")
        builder.execute("set statement_timeout = '200ms'")
        with suppress(psycopg.errors.QueryCanceled):
            builder.execute(statement.encode())
