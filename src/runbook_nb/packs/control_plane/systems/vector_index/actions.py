"""How the library's index is built anew, while the search goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import owner_dsn
from runbook_nb.packs.control_plane.systems.vector_index._catalogue import (
    METHOD,
    NAME,
    OPERATORS,
    indexes,
    leftovers,
    search_index,
    state_word,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    import psycopg

_TIMEOUT_S: Final = 1200.0
_NEW: Final = f"{NAME}_new"
# Enough to build the graph of some thousand vectors without going to the disk.
_MEMORY: Final = "256MB"
_BUSY: Final = """
select exists (
    select from pg_stat_progress_create_index
    where relid = 'public.library_embeddings'::regclass)
"""


@action(timeout_s=_TIMEOUT_S, repeatable=True)
def rebuild(systems: Systems) -> Json:
    """Build the index anew with its own parameters, and drop what broken builds left.

    The search goes on meanwhile. Raises NothingDoneError while another build runs.
    """
    before = indexes(systems.database())
    own = search_index(before)
    with _as_owner(systems) as connection:
        for one in leftovers(before):
            _run(connection, "drop index concurrently if exists public.{}", one["name"])
        if own is None or state_word(own) not in ("ready", "invalid"):
            if own is not None:
                _run(connection, "drop index concurrently public.{}", own["name"])
            _create(connection, NAME, options="")
        else:
            _run(connection, "reindex index concurrently public.{}", own["name"])
    return _built(systems, before)


@rebuild.rehearsal
def _(systems: Systems) -> Json:
    found = indexes(systems.database())
    own = search_index(found)
    return {
        "would build": NAME if own is None else own["name"],
        "it stands": state_word(own),
        "would drop": [one["name"] for one in leftovers(found)],
        "vectors": systems.database().value("select count(*) from library_embeddings"),
    }


@action(timeout_s=_TIMEOUT_S, repeatable=True)
def replace(systems: Systems, *, m: int, ef_construction: int) -> Json:
    """Build an index with these parameters beside the present one, and then take that away.

    Raises NothingDoneError where the present one has them already: a finer index is not the cure.
    """
    before = indexes(systems.database())
    own = search_index(before)
    options = f"m={m}, ef_construction={ef_construction}"
    if own is not None and state_word(own) == "ready" and own["options"] == options:
        message = f"The index has {options} already. Nothing was changed: look at Option D."
        raise NothingDoneError(message)
    _swap(systems, before, options=options)
    return {**_built(systems, before), "options before": own["options"] if own else None}


@replace.rehearsal
def _(systems: Systems, *, m: int, ef_construction: int) -> Json:
    found = indexes(systems.database())
    own = search_index(found)
    return {
        "parameters now": (own["options"] or "those of pgvector, m=16, ef_construction=64")
        if own
        else "no index",
        "parameters then": f"m={m}, ef_construction={ef_construction}",
        "bytes now": own["bytes"] if own else 0,
        "vectors": systems.database().value("select count(*) from library_embeddings"),
    }


@replace.undo
def _(systems: Systems, result: Json, *, m: int, ef_construction: int) -> Json:  # noqa: ARG001
    before = indexes(systems.database())
    _swap(systems, before, options=result["options before"] or "")
    return _built(systems, before)


def _swap(systems: Systems, before: list[dict[str, Any]], *, options: str) -> None:
    with _as_owner(systems) as connection:
        for one in leftovers(before):
            _run(connection, "drop index concurrently if exists public.{}", one["name"])
        _run(connection, "drop index concurrently if exists public.{}", _NEW)
        _create(connection, _NEW, options=options)
        _run(connection, "drop index concurrently if exists public.{}", NAME)
        _run(connection, "alter index public.{} rename to " + NAME, _NEW)


@contextmanager
def _as_owner(systems: Systems) -> "Iterator[psycopg.Connection]":
    """Connect as the owner, each statement by itself: a concurrent build allows no transaction."""
    import psycopg

    with psycopg.connect(owner_dsn(systems), autocommit=True, connect_timeout=3) as connection:
        if (connection.execute(_BUSY).fetchone() or (False,))[0]:
            message = "An index of the library is being built at this moment. Wait until it ends."
            raise NothingDoneError(message)
        connection.execute(
            "select set_config('maintenance_work_mem', %s, false),"
            " set_config('statement_timeout', '0', false),"
            " set_config('lock_timeout', '30s', false)",
            (_MEMORY,),
        )
        yield connection


def _create(connection: "psycopg.Connection", name: str, *, options: str) -> None:
    _run(
        connection,
        f"create index concurrently {{}} on public.library_embeddings "
        f"using {METHOD} (embedding {OPERATORS})" + (f" with ({options})" if options else ""),
        name,
    )


def _run(connection: "psycopg.Connection", statement: str, name: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _built(systems: Systems, before: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how the indexes stand now; raises ActionError where the search has none."""
    after = indexes(systems.database())
    if state_word(search_index(after)) != "ready":
        message = f"The index is {state_word(search_index(after))} after the build; see {after}."
        raise ActionError(message)
    return {"before": before, "after": after}
