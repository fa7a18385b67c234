"""How entries are embedded anew."""

import time
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems._gemini import BATCH, vector_text
from runbook_nb.packs.control_plane.systems.embeddings._queries import SAME_TEXT, entries, fits
from runbook_nb.packs.control_plane.systems.embeddings.probes import GRACE
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# Of vectors that look right so many must agree with the model, else it is another model by now.
_AGREE: Final = 0.5
_SAMPLE: Final = 40
_LONGEST_S: Final = 480.0
# What stood before is kept out of reach of the platform's own roles, for the undo.
KEEP_SCHEMA: Final = "create schema if not exists runbook"
KEEP: Final = """
create table if not exists runbook.embeddings_before (
    attempt text not null,
    entry_id uuid not null,
    embedding vector,
    embedding_provider text,
    embedding_model text,
    updated_at timestamptz,
    kept_at timestamptz not null default now(),
    primary key (attempt, entry_id)
)
"""
KEEP_ROWS: Final = """
insert into runbook.embeddings_before
    (attempt, entry_id, embedding, embedding_provider, embedding_model, updated_at)
select %(attempt)s, l.id, v.embedding, v.embedding_provider, v.embedding_model, v.updated_at
from library_entries l
left join library_embeddings v on v.entry_id = l.id
where l.id = any(%(entries)s::uuid[])
on conflict do nothing
"""
WRITE: Final = """
insert into library_embeddings
    (entry_id, embedding, embedding_provider, embedding_model, updated_at)
select entry, embedding::vector, %(provider)s, %(model)s, now()
from unnest(%(entries)s::uuid[], %(vectors)s::text[]) as fresh (entry, embedding)
on conflict (entry_id) do update
set embedding = excluded.embedding,
    embedding_provider = excluded.embedding_provider,
    embedding_model = excluded.embedding_model
returning entry_id::text
"""
TAKE_AWAY: Final = """
delete from library_embeddings
where entry_id in (
    select entry_id from runbook.embeddings_before where attempt = %(attempt)s)
returning entry_id::text
"""
PUT_BACK: Final = """
insert into library_embeddings
    (entry_id, embedding, embedding_provider, embedding_model, updated_at)
select entry_id, embedding, embedding_provider, embedding_model, updated_at
from runbook.embeddings_before
where attempt = %(attempt)s and embedding is not null
returning entry_id::text
"""


@action(timeout_s=600, repeatable=True, contained=True)
def re_embed(systems: Systems, *, batch: int = BATCH) -> Json:
    """Give a fresh vector to each entry that has none, or one that is not its text's.

    Works in batches, each committed by itself: what was done before a cut stays, and the next run
    goes on with the rest. What stood before is kept for the undo. Raises NothingDoneError where the
    model disagrees with most of the vectors that bear its name: then it is no longer the same
    model, and fresh vectors beside old ones would make the search worse.
    """
    _demand_same_model(systems)
    began, done, left = time.monotonic(), [], _wanted(systems)
    with systems.database().transaction():
        systems.database().rows(AS_OWNER)
        systems.database().rows(KEEP_SCHEMA)
        systems.database().rows(KEEP)
    while left and time.monotonic() - began < _LONGEST_S:
        now, left = left[:batch], left[batch:]
        written = _write(systems, now)
        done.append({"looked at": len(now), "written": written, "left": len(left)})
    return {
        "attempt": _attempt(systems),
        "batches": done,
        "written": sum(one["written"] for one in done),
        "left": len(left),
    }


@re_embed.rehearsal
def _(systems: Systems, *, batch: int = BATCH) -> Json:
    found = entries(systems, grace=GRACE)
    broken = [row for row in found if row["wrong"]]
    return {
        "would embed at once": len(broken),
        "would compare with their texts, and embed where they differ": len(found) - len(broken),
        "batches": -(-len(found) // batch),
        "model": systems.setting("gemini", "embedding_model"),
    }


@re_embed.undo
def _(systems: Systems, result: Json, *, batch: int = BATCH) -> Json:  # noqa: ARG001
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        taken = database.rows(TAKE_AWAY, attempt=result["attempt"])
        put = database.rows(PUT_BACK, attempt=result["attempt"])
    return {"vectors taken away": len(taken), "former vectors put back": len(put)}


def _attempt(systems: Systems) -> str:
    return systems.attempt or "by hand"


def _wanted(systems: Systems) -> list[dict[str, Any]]:
    """Return all entries, those first that are broken as far as the rows tell."""
    return sorted(entries(systems, grace=GRACE), key=lambda row: not row["wrong"])


def _demand_same_model(systems: Systems) -> None:
    """Compare vectors that look right with fresh ones; NothingDoneError where most differ."""
    well = [row["id"] for row in entries(systems, grace=GRACE) if not row["wrong"]][:_SAMPLE]
    tried = fits(systems, well) if well else []
    agree = sum((one["cosine"] or 0) >= SAME_TEXT for one in tried)
    if tried and agree < _AGREE * len(tried):
        message = (
            f"Only {agree} of {len(tried)} vectors are what their model gives today, so it is "
            "another model by now. Nothing was changed: the whole library has to be migrated."
        )
        raise NothingDoneError(message)


def _write(systems: Systems, batch: list[dict[str, Any]]) -> int:
    """Embed one batch and write what is broken or differs, in one transaction; returns how many."""
    broken = {row["id"] for row in batch if row["wrong"]}
    tried = [
        one
        for one in fits(systems, [row["id"] for row in batch])
        if one["id"] in broken or (one["cosine"] or 0) < SAME_TEXT
    ]
    if not tried:
        return 0
    database, ids = systems.database(), [one["id"] for one in tried]
    with database.transaction():
        database.rows(AS_OWNER)
        database.rows(KEEP_ROWS, attempt=_attempt(systems), entries=ids)
        rows = database.rows(
            WRITE,
            entries=ids,
            vectors=[vector_text(one["fresh"]) for one in tried],
            provider=systems.setting("gemini", "embedding_provider"),
            model=systems.setting("gemini", "embedding_model"),
        )
    return len(rows)
