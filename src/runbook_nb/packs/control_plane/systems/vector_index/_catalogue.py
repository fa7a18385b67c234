"""The index that the library's search goes by, as the catalogue has it."""

from typing import Any, Final

from runbook_nb.probes.connections import Database

NAME: Final = "idx_library_embeddings_embedding"
METHOD: Final = "hnsw"
OPERATORS: Final = "vector_cosine_ops"
# All indexes on the vectors: one is the search's, one that is invalid was left by a broken build.
INDEXES: Final = """
select c.relname::text as name,
       a.amname::text as method,
       o.opcname::text as operators,
       i.indisvalid and i.indisready as valid,
       coalesce(array_to_string(c.reloptions, ', '), '') as options,
       pg_relation_size(c.oid) as bytes,
       exists (select from pg_stat_progress_create_index p
               where p.relid = i.indrelid) as building
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am a on a.oid = c.relam
join pg_opclass o on o.oid = i.indclass[0]
join pg_attribute k on k.attrelid = i.indrelid and k.attnum = i.indkey[0]
where i.indrelid = 'public.library_embeddings'::regclass
  and k.attname = 'embedding'
order by c.relname <> %(name)s, c.relname
"""


def indexes(database: Database) -> list[dict[str, Any]]:
    """Return the indexes on the vectors, the search's own first."""
    return database.rows(INDEXES, name=NAME)


def search_index(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the index that the search may use: a valid one of its kind, else its namesake."""
    right = [one for one in found if one["valid"] and _is_right(one)]
    named = [one for one in found if one["name"] == NAME]
    return next(iter(right or named), None)


def state_word(one: dict[str, Any] | None) -> str:
    """Say how the search's index stands."""
    if one is None:
        return "missing"
    if not one["valid"]:
        return "building" if one["building"] else "invalid"
    if one["method"] != METHOD:
        return f"{one['method']}, not {METHOD}"
    return "ready" if _is_right(one) else f"made for {one['operators']}"


def leftovers(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return invalid indexes beside the search's own that no running build makes."""
    own = search_index(found)
    return [one for one in found if one is not own and not one["valid"] and not one["building"]]


def _is_right(one: dict[str, Any]) -> bool:
    return bool(one["method"] == METHOD and one["operators"] == OPERATORS)
