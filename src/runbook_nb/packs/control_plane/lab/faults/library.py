"""Faults of the library's vectors: none, of another model, without a direction, of other texts."""

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.library_rows import (
    SETTLED,
    changing,
    entry_ids,
    restore_library,
    texts_of,
    write_vectors,
)
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, lasting_id
from runbook_nb.packs.control_plane.lab.seed.embedding_model import MODEL
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES
from runbook_nb.packs.control_plane.lab.state import LabState

_OTHER_MODEL = "gemini-embedding-2"
_DELETE = "delete from library_embeddings where entry_id = any(%s::uuid[])"
_ZERO = """
update library_embeddings
set embedding = array_fill(0::real, array[1536])::vector
where entry_id = any(%s::uuid[])
"""
_ONE_VECTOR = """
update library_embeddings
set embedding = (select embedding from library_embeddings where entry_id = %s)
where entry_id = any(%s::uuid[])
"""
_LABEL = "update library_embeddings set embedding_model = %s where entry_id = any(%s::uuid[])"
_REWRITE = """
update library_entries
set title = %s, description = %s, category = %s, updated_at = now() - %s
where id = %s
"""
_STAMP = "update library_embeddings set updated_at = now() where entry_id = any(%s::uuid[])"
_ADD = """
insert into library_entries (id, tenant_id, title, description, category, created_at, updated_at)
select %s, id, %s, %s, %s, now() - %s::interval, now() - %s::interval
from tenants
where slug = 'northwind'
"""
_OF_NORTHWIND = "t.slug = 'northwind'"


def lose(lab: LabState, *, where: str = "true", count: int = 24) -> None:
    """Let the job that embeds have failed for some entries."""
    with changing(lab) as connection:
        connection.execute(_DELETE, (entry_ids(connection, where, count=count),))


def write_young(lab: LabState) -> None:
    """Let some entries lack a vector for hours, and others for a moment, as is usual."""
    lose(lab, count=4)
    write_new(lab)


def empty(lab: LabState) -> None:
    """Let a job have written vectors of zeros."""
    with changing(lab) as connection:
        connection.execute(_ZERO, (entry_ids(connection, count=16),))


def mix(lab: LabState, *, where: str = "true", count: int = 40) -> None:
    """Let a job have embedded some entries by another model."""
    with changing(lab) as connection:
        ids = entry_ids(connection, where, count=count)
        write_vectors(connection, texts_of(connection, ids), model=_OTHER_MODEL)


def forget_model(lab: LabState) -> None:
    """Let a job have written another model's vectors, and not said whose they are."""
    mix(lab, count=20)
    with changing(lab) as connection:
        connection.execute(
            "update library_embeddings set embedding_model = null where embedding_model = %s",
            (_OTHER_MODEL,),
        )


def rewrite(lab: LabState, *, where: str = "true", count: int = 12) -> None:
    """Let customers have given entries another subject; the weekly job stamped the old vectors."""
    with changing(lab) as connection:
        ids = entry_ids(connection, where, count=count)
        for number, entry in enumerate(ids):
            _rewrite(connection, entry, number)
        connection.execute(_STAMP, (ids,))


def _rewrite(connection: Connection, entry: str, number: int) -> None:
    row = connection.execute("select category from library_entries where id = %s", (entry,))
    (category,) = row.fetchone() or ("",)
    others = [theme for theme in THEMES if theme.category != category]
    theme = others[number % len(others)]
    title = f"{theme.verbs[number % 4]} {theme.objects[number // 4 % 4]}, rewritten {number}"
    about = f"A proven play for {theme.category}."
    connection.execute(_REWRITE, (title, about, theme.category, SETTLED, entry))


def fake(lab: LabState) -> None:
    """Let a job have written vectors at random under the model's name, as one build did."""
    with changing(lab) as connection:
        for entry, text in texts_of(connection, entry_ids(connection, count=12)):
            write_vectors(connection, [(entry, text)], model=f"random {entry}", label=MODEL)


def share(lab: LabState) -> None:
    """Let a job have given several texts the vector of one of them."""
    with changing(lab) as connection:
        first, *others = entry_ids(connection, count=9)
        connection.execute(_ONE_VECTOR, (first, others))


def write_new(lab: LabState) -> None:
    """Let a customer have written entries five minutes ago; the job has not come to them."""
    with changing(lab) as connection:
        for number in range(3):
            about = ("5 minutes", "5 minutes")
            connection.execute(
                _ADD,
                (
                    lasting_id(f"library new {number}"),
                    f"Rescue lapsed contracts, new {number}",
                    "A proven play for renewals.",
                    "renewals",
                    *about,
                ),
            )


def say_in_full(lab: LabState) -> None:
    """Let the job write the model's name as the API lists it."""
    with changing(lab) as connection:
        connection.execute(_LABEL, (f"models/{MODEL}", entry_ids(connection, count=60)))


def leave_short(lab: LabState) -> None:
    """Let the job write vectors as the model gives them at this length: shorter than 1."""
    with changing(lab) as connection:
        connection.execute(
            "update library_embeddings set embedding ="
            " embedding * array_fill(0.7071::real, array[1536])::vector"
            " where entry_id = any(%s::uuid[])",
            (entry_ids(connection, count=60),),
        )


def copy_text(lab: LabState) -> None:
    """Let two customers have the same text: their vectors are the same, and right."""
    with changing(lab) as connection:
        connection.execute(
            """
            with copy as (
                insert into library_entries
                    (tenant_id, title, description, category, created_at, updated_at)
                select t.id, e.title, e.description, e.category, e.created_at, e.updated_at
                from (select * from library_entries where tenant_id is null order by id limit 12) e
                cross join tenants t
                returning id, title)
            insert into library_embeddings
            select copy.id, v.embedding, v.embedding_provider, v.embedding_model, v.updated_at
            from copy
            join library_entries e on e.title = copy.title and e.tenant_id is null
            join library_embeddings v on v.entry_id = e.id
            """
        )


def ask_for_more(lab: LabState) -> None:
    """Let missions be about a subject that no library has an entry about yet."""
    with changing(lab) as connection:
        connection.execute(
            """
            update missions
            set intent = jsonb_build_object(
                'text', 'Book venues for the offsite ' || left(id::text, 4), 'category', 'travel')
            where id in (select id from missions where status = 'completed' order by id limit 40)
            """
        )


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=restore_library)
    for name, title, inject in (
        ("embeddings_missing", "Entries of the library have no vector", lose),
        (
            "embeddings_missing.one_tenant",
            "Only entries of one customer have no vector",
            lambda lab: lose(lab, where=_OF_NORTHWIND, count=6),
        ),
        (
            "embeddings_missing.young_too",
            "Entries lack a vector for hours, others for minutes",
            write_young,
        ),
        ("embeddings_missing.zeros", "A job wrote vectors of zeros", empty),
        ("model_mixed", "A quarter of the library is embedded by another model", mix),
        (
            "model_mixed.one_entry",
            "One entry is embedded by another model",
            lambda lab: mix(lab, count=1),
        ),
        (
            "model_mixed.one_tenant",
            "The entries of one customer are embedded by another model",
            lambda lab: mix(lab, where=_OF_NORTHWIND, count=48),
        ),
        ("model_mixed.unnamed", "Vectors of another model, and no name of it", forget_model),
        ("texts_changed", "Texts were rewritten, and their vectors stamped as fresh", rewrite),
        (
            "texts_changed.one_tenant",
            "Only texts of one customer were rewritten",
            lambda lab: rewrite(lab, where=_OF_NORTHWIND, count=3),
        ),
        ("texts_changed.random", "Vectors at random under the model's name", fake),
        ("texts_changed.shared", "Several texts were given one vector", share),
        ("library_just_written", "Entries of the last minutes wait for their vector", write_new),
        ("library_model_in_full", "The model's name is written as the API lists it", say_in_full),
        ("library_vectors_short", "Vectors are shorter than 1, which no search minds", leave_short),
        ("library_text_twice", "Two customers have the same text", copy_text),
        ("library_new_subject", "Missions ask about what no library has yet", ask_for_more),
    )
)
