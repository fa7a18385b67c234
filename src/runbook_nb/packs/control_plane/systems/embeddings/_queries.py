"""The library's entries and the vectors that stand for them."""

import math
import operator
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._gemini import embed
from runbook_nb.probes.calls import Systems

# The text that is embedded, as the platform writes it.
TEXT: Final = "l.title || e'\\n' || coalesce(l.description, '')"
# A cosine below this is another text: the model gives the same text the same vector.
SAME_TEXT: Final = 0.95

ENTRIES: Final = f"""
select l.id::text as id,
       t.slug as tenant,
       l.updated_at as written_at,
       l.updated_at < now() - %(grace)s as settled,
       md5({TEXT}) as text,
       v.entry_id is not null as embedded,
       coalesce(v.embedding_provider, '') as provider,
       regexp_replace(coalesce(v.embedding_model, ''), '^models/', '') as model,
       coalesce(vector_norm(v.embedding), 0) as norm,
       md5(vector_send(v.embedding)) as vector
from library_entries l
left join library_embeddings v on v.entry_id = l.id
left join tenants t on t.id = l.tenant_id
order by l.id
"""
TEXTS: Final = f"""
select l.id::text as id,
       {TEXT} as text,
       v.embedding::real[] as embedding
from library_entries l
left join library_embeddings v on v.entry_id = l.id
where l.id = any(%(entries)s::uuid[])
order by l.id
"""


def entries(systems: Systems, **grace: Any) -> list[dict[str, Any]]:
    """Return each entry with how its vector stands; raises NoAnswerError for an empty library."""
    found = systems.database().rows(ENTRIES, **grace)
    if not found:
        message = (
            "The library has no entry. If it should have some, they are lost: go to "
            "supabase_backup_restore."
        )
        raise NoAnswerError(message)
    model = systems.setting("gemini", "embedding_model")
    provider = systems.setting("gemini", "embedding_provider")
    texts_of: dict[str, set[str]] = {}
    for row in found:
        texts_of.setdefault(row["vector"], set()).add(row["text"])
    for row in found:
        row["wrong"] = _wrong(
            row,
            foreign=(row["provider"], row["model"]) != (provider, model),
            shared=len(texts_of[row["vector"]]) > 1,
        )
    return found


def _wrong(row: dict[str, Any], *, foreign: bool, shared: bool) -> str:
    """Say what is wrong with an entry's vector as far as the rows tell; nothing if all is well."""
    if not row["embedded"]:
        return "missing"
    if not 0 < row["norm"] < float("inf"):
        return "unusable"
    if foreign:
        return "foreign"
    return "shared" if shared else ""


def fits(systems: Systems, ids: list[str]) -> list[dict[str, Any]]:
    """Embed the texts of entries anew; returns each with its cosine to the vector that stands.

    The cosine is None for an entry without one, or whose vector has no direction.
    """
    rows = systems.database().rows(TEXTS, entries=ids)
    fresh = embed(systems, [row["text"] for row in rows])
    return [
        {"id": row["id"], "fresh": vector, "cosine": _cosine(row["embedding"], vector)}
        for row, vector in zip(rows, fresh, strict=True)
    ]


def _cosine(stands: list[float] | None, fresh: list[float]) -> float | None:
    if not stands or len(stands) != len(fresh):
        return None
    length = math.hypot(*stands)
    if not length > 0:
        return None
    product: float = sum(map(operator.mul, stands, fresh))
    return round(product / length, 3)
