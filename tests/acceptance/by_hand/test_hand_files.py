"""What the server lets a browser do: working copies are written, the rest is only read."""

import json
import re

import httpx
import pytest
import trial

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(desk):
    """Ask the server as a tab does, with the token."""
    found = re.search(r"(http://[^/]+)/\S+token=(\w+)", desk.address())
    headers = {"Authorization": f"token {found[2]}"}
    with httpx.Client(
        base_url=found[1], headers=headers, trust_env=False, timeout=30, follow_redirects=False
    ) as client:
        yield client


def notebook(asked, incident: str) -> dict[str, object]:
    """Return what a tab would save of a working copy."""
    told = asked.get(f"/api/contents/{incident}/working/dead_sessions.ipynb").json()
    return {"type": "notebook", "format": "json", "content": told["content"]}


@pytest.mark.parametrize(
    "place",
    [
        "INC-1/timeline.jsonl",
        "INC-1/runs/x.ipynb",
        "INC-1/working/deeper/x.ipynb",
        "x.ipynb",
        "INC-1/working/../../INC-1/x.ipynb",
        "INC-1/working/master.ipynb",
    ],
)
def test_nothing_but_a_working_copy_is_written(desk, asked, place):
    """Neither a timeline, nor a run, nor a master that somebody linked into the folder."""
    desk("open", "dead_sessions", "--incident", "INC-1", "--no-start")
    master = desk.folder / "notebooks" / "dead_sessions.ipynb"
    link = desk.incidents / "INC-1" / "working" / "master.ipynb"
    if not link.is_symlink():
        link.symlink_to(master)
    files = [path for path in (desk.incidents / "INC-1").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in [master, *files]}

    answer = asked.put(f"/api/contents/{place}", json=notebook(asked, "INC-1"))
    assert answer.status_code in (403, 404)
    assert {path: path.read_bytes() for path in before} == before


def test_a_working_copy_is_written_and_neither_deleted_renamed_nor_copied(desk, asked):
    """What was done by hand is part of the incident."""
    desk("open", "dead_sessions", "--incident", "INC-2", "--no-start")
    place = "/api/contents/INC-2/working/dead_sessions.ipynb"
    answers = [
        asked.delete(place),
        asked.patch(place, json={"path": "INC-2/working/other.ipynb"}),
        asked.post("/api/contents/INC-2/working", json={"copy_from": place[14:]}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert "belongs to the record" in answers[0].text
    assert asked.put(place, json=notebook(asked, "INC-2")).status_code == 200


def test_nobody_without_the_token_is_told_anything(desk, asked):
    """Neither the list nor a board, and nothing is opened."""
    del asked.headers["Authorization"]
    before = sorted(desk.incidents.iterdir())
    answers = [
        asked.get("/runbook/shelf"),
        asked.get("/runbook/board", params={"path": "INC-1/working/dead_sessions.ipynb"}),
        asked.post("/runbook/open", json={"runbook": "dead_sessions"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert sorted(desk.incidents.iterdir()) == before


def test_the_list_shows_a_hostile_title_as_text(desk, asked):
    """A title is a stranger's text; the panel shows HTML."""
    opened = {"labels": {"alertname": "TrialSessionsSilent"}, "annotations": {"summary": "x"}}
    opened["annotations"]["summary"] = trial.HOSTILE.replace("\x00", "")
    alert = desk.folder / "hostile.json"
    alert.write_text(json.dumps(opened), encoding="utf-8")
    desk("open", "--alert", str(alert), "--no-start")
    html = asked.get("/runbook/shelf").json()["html"]

    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.parametrize("place", ["INC-1", "../x", "INC-1/working/none.ipynb", "INC-1/working/.."])
def test_a_path_that_is_no_copy_has_no_board(desk, asked, place):
    """The answer is a sentence, and no file's content."""
    answer = asked.get("/runbook/board", params={"path": place})

    assert answer.status_code == 409
    assert "no board" in answer.json()["message"]
