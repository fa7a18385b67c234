"""A tab is given text, pictures and our own cards; nothing that runs, fetches or commands."""

import base64
import json
from datetime import UTC, datetime

import nbformat
import pytest

from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import BoardCard, Card
from runbook_nb.runs.jupyter.outputs import Drawn, cards_of, only_looked_at
from runbook_nb.timeline.events import Noted, Opened, Terms

PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )
).decode()
HOSTILE = '<img src=x onerror=alert(1)><button data-commandlinker-command="notebook:run-all-cells">'
ACTIVE = {
    "text/html": HOSTILE,
    "text/markdown": HOSTILE,
    "text/latex": r"\href{javascript:alert(1)}{x}",
    "image/svg+xml": "<svg onload=alert(1)>",
    "application/javascript": "alert(1)",
    "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
    "application/vnd.vega.v5+json": {"data": {"url": "http://192.0.2.1/x"}},
    "application/json": {"x": 1},
}


def copy_of(*data):
    """Return a notebook as an editor saved it: every cell with its outputs, and trusted."""
    cells = []
    for bundle in data:
        output = nbformat.v4.new_output("display_data", data=bundle, metadata={"note": HOSTILE})
        cells.append(
            nbformat.v4.new_code_cell("pass", outputs=[output], metadata={"trusted": True})
        )
    words = nbformat.v4.new_markdown_cell(HOSTILE, metadata={"trusted": True})
    return nbformat.v4.new_notebook(cells=[*cells, words], metadata={"widgets": {"x": HOSTILE}})


@pytest.mark.parametrize("kind", ACTIVE)
def test_an_output_of_others_is_shown_as_text_only(kind):
    """Whatever else it brings."""
    copy = copy_of({kind: ACTIVE[kind], "text/plain": "in words"}, {kind: ACTIVE[kind]})
    only_looked_at(copy, Drawn())

    first, second = (cell.outputs[0].data for cell in copy.cells[:2])
    assert first == {"text/plain": "in words"}
    assert set(second) == {"text/plain"}
    assert HOSTILE not in json.dumps([cell.get("outputs") for cell in copy.cells])
    assert [cell.metadata.get("trusted", False) for cell in copy.cells] == [False] * 3
    assert "widgets" not in copy.metadata


def test_a_picture_stays_and_what_only_says_that_it_is_one_does_not():
    """A chart is evidence."""
    copy = copy_of({"image/png": PIXEL}, {"image/png": HOSTILE}, {"image/jpeg": ["x"]})
    only_looked_at(copy, Drawn())

    kinds = [set(cell.outputs[0].data) for cell in copy.cells[:3]]
    assert kinds == [{"image/png"}, {"text/plain"}, {"text/plain"}]


@pytest.fixture
def noted():
    """Give an event of a timeline, with words that would act."""
    return Noted(at=datetime(2026, 1, 1, tzinfo=UTC), run="r", by="sam", text=HOSTILE)


@pytest.fixture
def opened():
    """Give the beginning of an incident in an environment named live."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    told = {"incident": "INC-1", "title": "T", "severity": "SEV1", "runbook": "r", "alert": None}
    return Opened(at=at, by="sam", environment="live", **told)


@pytest.mark.parametrize("look", [{}, {"production": "live"}, {"changed": True}])
def test_our_own_card_is_drawn_anew_from_the_timeline(opened, noted, look):
    """Also with the mark of production, and of a cell that was edited."""
    card = Card(noted, **look)
    copy = copy_of({"text/plain": repr(card), "text/html": HOSTILE})
    only_looked_at(copy, Drawn(cards=cards_of([opened, noted])))

    assert copy.cells[0].outputs[0].data["text/html"] == card.html()
    assert copy.cells[0].metadata.trusted
    assert "<img" not in card.html()
    assert "<button" not in card.html()


def test_a_card_that_is_on_no_timeline_is_text(noted):
    """Anybody can write that a check passed."""
    copy = copy_of({"text/plain": repr(Card(noted)) + " ", "text/html": HOSTILE})
    only_looked_at(copy, Drawn(cards=cards_of([noted])))

    assert set(copy.cells[0].outputs[0].data) == {"text/plain"}
    assert not copy.cells[0].metadata.trusted


def board_at(hour, *, incident="INC-1", title="Late"):
    return Board(
        incident=incident,
        title=title,
        severity="SEV2",
        environment="lab",
        production=False,
        runbook="trial",
        drawn_at=datetime(2026, 11, 23, hour, tzinfo=UTC),
        opened_at=None,
        closed_at=None,
        elapsed_s=0.0,
        update_due=None,
        escalation_due=None,
        terms=Terms(),
        decided=None,
        sections=(),
        people=(),
    )


def test_a_board_is_drawn_as_it_is_now_and_one_of_another_incident_is_text():
    """A tab that comes back shows where the incident stands, not where it stood."""
    before, other = BoardCard(board_at(3)), BoardCard(board_at(3, incident="INC-2"))
    copy = copy_of(
        {"text/plain": repr(before), "text/html": HOSTILE},
        {"text/plain": repr(other), "text/html": HOSTILE},
    )
    now = BoardCard(board_at(5))
    only_looked_at(copy, Drawn(board=now))

    shown, foreign = (cell.outputs[0].data for cell in copy.cells[:2])
    assert shown == {"text/plain": repr(now), "text/html": now.html()}
    assert foreign == {"text/plain": repr(other)}


def test_a_title_cannot_pass_for_markup_on_a_board_that_is_drawn_anew():
    """It is escaped as ever."""
    drawn = BoardCard(board_at(5, title=HOSTILE))
    copy = copy_of({"text/plain": repr(drawn)})
    only_looked_at(copy, Drawn(board=drawn))

    assert HOSTILE not in copy.cells[0].outputs[0].data["text/html"]
