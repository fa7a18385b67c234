"""The library's vectors, its index and its search on the real lab."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.emulators.gemini import PROJECT
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.systems import embeddings, library_search, vector_index

pytestmark = [pytest.mark.lab, pytest.mark.slow]

STANDS = """
select count(*), sum(hashtextextended(v::text, 0))
from (select entry_id, embedding, embedding_model from library_embeddings order by 1) v
"""
OPTIONS = """
select coalesce(reloptions::text, '') from pg_class
where relname = 'idx_library_embeddings_embedding'
"""


def only(lab, question: str):
    with superuser(lab) as connection:
        return connection.execute(question.encode()).fetchone()


@pytest.fixture
def injected(lab, request) -> Iterator[str]:
    """Inject a fault and heal it, whatever the test did."""
    fault = FAULTS[request.param]
    fault.inject(lab)
    yield fault.name
    fault.heal(lab)


def fault(name):
    return pytest.mark.parametrize("injected", [name], indirect=True)


def test_a_healthy_library_passes(hands):
    """Each figure, as users feel it."""
    assert hands.value(embeddings.answers()) == "ok"
    assert hands.value(embeddings.unfit(sample=40)) == 0
    assert hands.value(library_search.precision()) == 100
    assert hands.value(library_search.best_score()) > 0.8
    assert hands.value(library_search.recall()) == 100
    assert hands.value(library_search.tenant_results()) == 100
    assert hands.value(library_search.latency_p95(searches=5)) < 1000
    assert hands.value(library_search.breadth()) == 40
    assert hands.value(vector_index.state()) == "ready"


@fault("embeddings_missing")
@pytest.mark.holds("embeddings.re_embed")
def test_entries_are_embedded_anew_and_put_back(lab, hands, injected):
    """What was there before is kept for the undo; what was well is not written."""
    before = only(lab, STANDS)
    assert hands.value(embeddings.missing()) == 24
    assert hands.rehearse(embeddings.re_embed())["would embed at once"] == 24
    done = hands.do(embeddings.re_embed(batch=50))
    assert (done["written"], done["left"]) == (24, 0)
    assert [one["written"] for one in done["batches"]] == [24, 0, 0, 0]
    assert hands.value(embeddings.missing()) == 0
    assert hands.value(embeddings.unfit(sample=200)) == 0

    assert hands.undo(embeddings.re_embed(), done)["vectors taken away"] == 24
    assert only(lab, STANDS) == before


@fault("texts_changed")
def test_a_text_that_was_changed_is_found_by_its_vector_alone(hands, injected):
    """The stamp says that it is fresh; of each such entry its tenant is told, and no text."""
    reading = hands.read(embeddings.unfit(sample=80))
    assert reading.value == 12
    assert "rewritten" not in str(reading.detail)
    assert hands.do(embeddings.re_embed())["written"] == 12
    assert hands.value(embeddings.unfit(sample=80)) == 0


def test_a_model_that_changed_under_its_name_is_not_mixed_in(lab, hands):
    """Fresh vectors beside old ones would make the search worse, so nothing is written."""
    hands.environment._systems["gemini"]["embedding_model"] = "gemini-embedding-2"
    with superuser(lab) as connection:
        label = "update library_embeddings set embedding_model = %s"
        connection.execute(label, ("gemini-embedding-2",))
        before = only(lab, STANDS)
        with pytest.raises(NothingDoneError, match="another model"):
            hands.do(embeddings.re_embed())
        assert only(lab, STANDS) == before
        connection.execute(label, ("gemini-embedding-001",))


def test_without_the_model_nothing_is_known_of_the_vectors(lab, hands):
    """The refusal has a word; what needs the model is unknown, and the index is not."""
    gemini = hands.environment.writing([]).http("gemini")
    gemini.request("POST", PROJECT, json={"retire": ["gemini-embedding-001"]})
    try:
        assert hands.value(embeddings.answers()) == "no such model"
        for probe in (embeddings.unfit(), library_search.precision(), library_search.best_score()):
            with pytest.raises(NoAnswerError, match="no such model"):
                hands.read(probe)
        assert hands.value(library_search.recall()) == 100
    finally:
        gemini.request("DELETE", PROJECT)


def test_an_empty_library_is_unknown_and_not_complete():
    """None of no entries lacks a vector, and that says nothing."""
    database = SimpleNamespace(rows=lambda *_sql, **_values: [])
    with pytest.raises(NoAnswerError, match="supabase_backup_restore"):
        embeddings.missing().read(SimpleNamespace(database=lambda: database))


@fault("index_invalid")
@pytest.mark.holds("vector_index.rebuild", undo=False)
def test_an_invalid_index_is_built_anew(hands, injected):
    """Until then nothing is known of its recall."""
    assert hands.value(vector_index.state()) == "invalid"
    for probe in (library_search.recall(), library_search.tenant_results()):
        with pytest.raises(NoAnswerError, match="No index"):
            hands.read(probe)
    assert hands.rehearse(vector_index.rebuild())["it stands"] == "invalid"
    hands.do(vector_index.rebuild())
    assert hands.value(vector_index.state()) == "ready"
    assert hands.value(library_search.recall()) == 100


@fault("index_invalid.left_over")
def test_what_a_cancelled_build_left_is_dropped(hands, injected):
    """The index itself was well all the time."""
    assert (hands.value(vector_index.state()), hands.value(vector_index.left_over())) == (
        "ready",
        1,
    )
    hands.do(vector_index.rebuild())
    assert hands.value(vector_index.left_over()) == 0


@fault("library_being_rebuilt")
def test_while_another_build_runs_nothing_is_done(hands, injected):
    """What it makes is not valid yet, and no rest of a broken one."""
    assert hands.value(vector_index.left_over()) == 0
    with pytest.raises(NothingDoneError, match="being built"):
        hands.do(vector_index.rebuild())


@fault("index_coarse")
@pytest.mark.holds("vector_index.replace")
def test_a_coarse_index_is_replaced_and_comes_back(lab, hands, injected):
    """Searching it more widely would not do, and says so."""
    coarse = only(lab, OPTIONS)
    assert hands.value(library_search.recall()) < 90
    finer = vector_index.replace(m=16, ef_construction=128)
    hands.rehearse(finer)
    done = hands.do(finer)
    assert hands.value(library_search.recall()) == 100
    with pytest.raises(NothingDoneError, match="already"):
        hands.do(finer)
    hands.undo(finer, done)
    assert only(lab, OPTIONS) == coarse
    with pytest.raises(NothingDoneError, match="the index itself"):
        hands.do(library_search.widen(ef_search=40, iterative_scan="off"))


@fault("search_narrow.one_role")
@pytest.mark.holds("library_search.widen")
def test_a_narrow_role_is_widened_and_narrowed_again(hands, injected):
    """The role that searches most narrowly counts, and its own setting goes."""
    widen = library_search.widen(ef_search=100)
    assert hands.value(library_search.breadth()) == 5
    assert hands.rehearse(widen)["then"]["hnsw.ef_search"] == "100"
    done = hands.do(widen)
    assert hands.value(library_search.breadth()) == 100
    assert hands.value(library_search.recall()) == 100
    hands.undo(widen, done)
    assert hands.value(library_search.breadth()) == 5


@fault("tenant_crowded_out")
def test_a_tenant_beside_a_large_one_gets_its_rows_again(hands, injected):
    """The search goes on until it has them."""
    assert hands.value(library_search.tenant_results()) < 80
    hands.do(library_search.widen(ef_search=100))
    assert hands.value(library_search.tenant_results()) == 100
