"""Faults of the library's search: its index is broken, coarse, or looked through too narrowly."""

import threading
from contextlib import suppress

import psycopg

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.library import lose
from runbook_nb.packs.control_plane.lab.faults.library_rows import (
    FUNCTION,
    INDEX,
    break_build,
    changing,
    restore_library,
    write_vectors,
)
from runbook_nb.packs.control_plane.lab.faults.outside import lasting_id, superuser, until
from runbook_nb.packs.control_plane.lab.seed.embedding_model import MODEL
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_ON = "on library_embeddings using hnsw"
_IMPORTED = 240
_CROWD = """
insert into library_entries (id, tenant_id, title, description, category, created_at, updated_at)
select %s, t.id, %s, %s, %s, now() - interval '1 day', now() - interval '1 day'
from tenants t where t.slug = 'harbourlight'
"""
_BUILDING = "select exists (select from pg_stat_progress_create_index)"
# A build that goes on until heal: what holds it up, and the thread that waits in it.
_running: dict[str, tuple[psycopg.Connection[tuple[object, ...]], threading.Thread]] = {}


def _run(lab: LabState, *statements: str) -> None:
    with superuser(lab) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def break_index(lab: LabState) -> None:
    """Let a build of the index have been cancelled: an invalid one bears its name."""
    _run(lab, f"drop index {INDEX}")
    break_build(lab, f"create index concurrently {INDEX} {_ON} (embedding vector_cosine_ops)")


def leave_rest(lab: LabState) -> None:
    """Let a rebuild of the index have been cancelled: its unfinished copy stays beside it."""
    break_build(lab, f"reindex index concurrently {INDEX}")


def drop_index(lab: LabState) -> None:
    """Let somebody have dropped the index."""
    _run(lab, f"drop index {INDEX}")


def index_lengths(lab: LabState) -> None:
    """Let somebody have made the index for another distance than the search compares."""
    _run(lab, f"drop index {INDEX}", f"create index {INDEX} {_ON} (embedding vector_l2_ops)")


def build_coarsely(lab: LabState) -> None:
    """Let somebody have built the index as small and fast as it can be."""
    _run(
        lab,
        f"drop index {INDEX}",
        f"create index {INDEX} {_ON} (embedding vector_cosine_ops) "
        "with (m = 2, ef_construction = 4)",
    )


def narrow(lab: LabState, whose: str = "database postgres") -> None:
    """Let somebody have made the search faster: it looks at five candidates."""
    _run(lab, f"alter {whose} set hnsw.ef_search = 5")


def crowd(lab: LabState, *, subject: str = "renewals", count: int = _IMPORTED) -> None:
    """Let one customer have imported a library of one subject, larger than all others together."""
    (theme,) = (theme for theme in THEMES if theme.category == subject)
    with changing(lab) as connection:
        texts = []
        for number in range(count):
            verb, what = theme.verbs[number % 4], theme.objects[number // 4 % 4]
            entry = str(lasting_id(f"library import {subject} {number}"))
            title, about = f"{verb} {what}, case {number}", f"A proven play for {subject}."
            connection.execute(_CROWD, (entry, title, about, subject))
            texts.append((entry, f"{title}\n{about}"))
        write_vectors(connection, texts, model=MODEL)


def build_slowly(lab: LabState) -> None:
    """Let somebody rebuild the index at this moment: its copy is not valid yet."""
    holding = psycopg.connect(read_secret(lab.folder, "postgres.dsn"))
    holding.execute("lock table library_embeddings in row exclusive mode")

    def build() -> None:
        with suppress(psycopg.Error), superuser(lab) as builder:
            builder.execute(f"reindex index concurrently {INDEX}".encode())

    thread = threading.Thread(target=build, daemon=True)
    thread.start()
    _running[str(lab.folder)] = holding, thread
    with superuser(lab) as connection:
        until(
            lambda: connection.execute(_BUILDING).fetchone() == (True,),
            within_s=3,
            otherwise="The build did not begin",
        )


def heal(lab: LabState) -> None:
    """Let a build go on to its end, and put rows, index and settings back."""
    if running := _running.pop(str(lab.folder), None):
        holding, thread = running
        holding.rollback()
        holding.close()
        thread.join(timeout=10)
    restore_library(lab)


def _narrow_and_lose(lab: LabState) -> None:
    narrow(lab)
    lose(lab, count=24)


def _coarse_and_lose(lab: LabState) -> None:
    build_coarsely(lab)
    lose(lab)


def _crowd_and_coarse(lab: LabState) -> None:
    crowd(lab, subject="retention", count=80)
    build_coarsely(lab)


def _coarse_and_left_over(lab: LabState) -> None:
    build_coarsely(lab)
    leave_rest(lab)


def import_evenly(lab: LabState) -> None:
    """Let a customer have imported a few entries of each subject."""
    for theme in THEMES:
        crowd(lab, subject=theme.category, count=4)


def _narrow_and_crowd(lab: LabState) -> None:
    crowd(lab)
    narrow(lab)


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("index_invalid", "The library's index is invalid after a cancelled build", break_index),
        ("index_invalid.left_over", "An unfinished copy stays beside the index", leave_rest),
        ("index_invalid.dropped", "The library's index was dropped", drop_index),
        ("index_invalid.other_distance", "The index is made for another distance", index_lengths),
        ("index_coarse", "The library's index was built too coarsely to find much", build_coarsely),
        (
            "index_coarse.left_over",
            "A coarse index, and an unfinished copy of it",
            _coarse_and_left_over,
        ),
        (
            "index_coarse.after_an_import",
            "The index was built coarsely after an import",
            _crowd_and_coarse,
        ),
        (
            "index_coarse.entries_missing",
            "A coarse index, and entries that have no vector",
            _coarse_and_lose,
        ),
        ("search_narrow", "Searches look at five candidates", narrow),
        (
            "search_narrow.one_role",
            "Searches of the interface alone look at five candidates",
            lambda lab: narrow(lab, "role authenticator"),
        ),
        (
            "search_narrow.in_the_function",
            "The search function looks at five candidates",
            lambda lab: narrow(lab, f"function {FUNCTION}"),
        ),
        (
            "search_narrow.entries_missing",
            "Searches look at five candidates, and entries have no vector",
            _narrow_and_lose,
        ),
        (
            "tenant_crowded_out",
            "One customer's import leaves another one's searches empty",
            crowd,
        ),
        (
            "tenant_crowded_out.other_subject",
            "The import is about another subject",
            lambda lab: crowd(lab, subject="ticket triage"),
        ),
        (
            "tenant_crowded_out.narrow_too",
            "An import, and searches that look at five candidates",
            _narrow_and_crowd,
        ),
        ("library_being_rebuilt", "The index is being rebuilt at this moment", build_slowly),
        (
            "library_imported_evenly",
            "A customer imported a few entries of each subject",
            import_evenly,
        ),
    )
)
