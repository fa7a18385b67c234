"""A record is one page that a stranger trusts or knows not to, and a list that proves it."""

import shutil
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest

from runbook_nb.incident.cards import Card
from runbook_nb.record.page import write_record
from runbook_nb.record.proof import verify_record
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.timeline.events import Acted, Alert, Asked, Noted, Outcome, Started, Verdict
from runbook_nb.timeline.log import Timeline
from story import RUN, Elements, Story, cut_off, healthy, heartbeat

lean_imports()
import nbformat  # noqa: E402 - its import is fast only after lean_imports

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PAYLOAD = (
    "<script>document.title='ran'</script>\"><img src=x onerror=\"document.title='ran'\">"
    "<iframe src='https://example.com'></iframe><a href=\"javascript:document.title='ran'\">x</a>"
    "{{ 7 * 7 }}{% raw %}\x1b[31m\x00\u202e"
)

# One black point.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "INC-2041"


def write_notebook(folder: Path, *cells: nbformat.NotebookNode, name: str = RUN) -> Path:
    """Write an executed notebook of these cells, whose runbook names one contact."""
    path = folder / "runs" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    front = {"name": "streaming-heartbeat", "escalation": ["oncall@example.com"]}
    notebook = nbformat.v4.new_notebook(cells=list(cells), metadata={"runbook": front})
    nbformat.write(notebook, path)
    return path


def shown(source: str, **mimebundle: str) -> nbformat.NotebookNode:
    """Return a code cell that displayed something."""
    kinds = {kind.replace("_", "/", 1): value for kind, value in mimebundle.items()}
    output = nbformat.v4.new_output("display_data", data=kinds)
    return nbformat.v4.new_code_cell(source, outputs=[output])


def page_of(folder: Path) -> str:
    return write_record(folder).read_text(encoding="utf-8")


def visible_page(folder: Path) -> str:
    """Return the page without its style, its full log and its supporting material."""
    page = page_of(folder).partition("</style>")[2].partition('id="supporting"')[0]
    before, _, after = page.partition('<details class="full">')
    return before + after.partition("</details>")[2]


def test_the_page_tells_the_incident_in_order(folder):
    """Banner, what happened, how it was found and fixed, then the proof of it."""
    heartbeat(folder)
    page = page_of(folder)

    names = ["happened", "impact", "phases", "timeline", "checks", "decisions", "actions"]
    names += ["manual", "verification", "communication", "runbooks", "supporting"]
    names += ["notebooks", "alert", "runs", "files"]
    places = [page.index(f' id="{name}"') for name in names]
    assert places == sorted(places)
    assert page.index("Unaltered") < places[0]


def test_the_page_says_what_was_done_and_whether_it_helped(folder):
    """Thirty seconds: failed, fixed, verified, trustworthy."""
    heartbeat(folder)
    page = visible_page(folder)

    for said in (
        "4 of 10 checks failed",
        "9.4 s",
        "at most 5 s",
        "Verified: all 4 failed checks",
        "Option B: Stop the edge from buffering.",
        "No failed check calls for it.",
        "By: says to be bob",
        "All 25 events match the hash chain",
    ):
        assert escape(said) in page


def test_the_page_needs_no_script_and_no_network(folder):
    """It opens in ten years, offline."""
    heartbeat(folder)
    page = page_of(folder)

    assert "<script" not in page
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_healthy_incident_reads_as_one(folder):
    """Nothing wrong, nothing changed."""
    healthy(folder)

    assert "nothing was found wrong" in visible_page(folder)
    assert "Nothing was changed." in visible_page(folder)


def test_an_open_incident_with_a_half_done_action_says_so(folder):
    """The page of a crash is a warning, not a success."""
    cut_off(folder)
    page = visible_page(folder)

    assert "cut off, may be half done" in page
    assert "The incident is still open." in page


def test_a_card_of_an_executed_notebook_keeps_its_look(folder):
    """Cards in outputs keep classes, folded parts and labels."""
    timeline = heartbeat(folder)
    bundle = Card(timeline[2])._repr_mimebundle_()
    write_notebook(folder, shown("incident.check()", text_html=bundle["text/html"]))
    page = page_of(folder)
    notebook = page.partition('id="notebooks"')[2]

    assert ("div", "class", "rb-card rb-fail") in Elements(page).attributes
    assert 'role="group"' in notebook
    assert "<details><summary>Asked</summary>" in notebook
    assert ".rb-card{" not in notebook


def test_a_next_step_on_a_card_leads_to_its_heading_in_the_page(folder):
    """The anchors of a notebook work in the page, and cannot meet those of the page."""
    timeline = heartbeat(folder)
    bundle = Card(timeline[2])._repr_mimebundle_()
    heading = nbformat.v4.new_markdown_cell("### Option A: Restart the agent")
    write_notebook(folder, shown("x", text_html=bundle["text/html"]), heading)
    page = page_of(folder)

    assert 'href="#run1-Option-A:-Restart-the-agent"' in page
    assert '<h5 id="run1-Option-A:-Restart-the-agent">' in page


def test_hostile_words_stay_words_on_the_page(folder):
    """Title, alert, parameter, answer, note, value, result: none becomes markup."""
    story = Story(folder)
    story.opens(title=PAYLOAD, alert=Alert(name=PAYLOAD, fingerprint="x", summary=PAYLOAD * 40_000))
    digests = {"runbook": PAYLOAD, "runbook_digest": PAYLOAD, "environment": PAYLOAD}
    story.tell(
        Started,
        **digests,
        run="r2",
        by=PAYLOAD,
        parameters={PAYLOAD: PAYLOAD},
        attended=False,
        versions={PAYLOAD: PAYLOAD},
    )
    story.checks(PAYLOAD, Verdict.FAIL, [{PAYLOAD: PAYLOAD}], expect=PAYLOAD, fail=PAYLOAD)
    words = dict.fromkeys(("title", "call", "option", "because", "risk", "undo", "reason"), PAYLOAD)
    story.tell(Acted, outcome=Outcome.FAILED, result={PAYLOAD: PAYLOAD}, rehearsal=PAYLOAD, **words)
    story.tell(Asked, question=PAYLOAD, owner=PAYLOAD, answer=PAYLOAD)
    story.tell(Noted, text=PAYLOAD)
    write_notebook(folder, name="<img src=x>")
    page = page_of(folder)

    assert not Elements(page).runs_something()
    assert "img" not in Elements(page).tags
    assert not any(mark in page for mark in ("\x1b", "\x00", "\u202e"))
    assert "{{ 7 * 7 }}" in page
    assert len(page) < 400_000


def test_hostile_outputs_of_a_notebook_are_cleaned(folder):
    """Whatever a cell displayed, the page only shows."""
    healthy(folder)
    evil = '<div style="position:fixed" class="trust" onclick="x()" id="happened">Unaltered</div>'
    script = {"application/javascript": "alert(1)", "image/svg+xml": "<svg onload=alert(1)>"}
    output = nbformat.v4.new_output("display_data", data={"text/html": PAYLOAD + evil, **script})
    output.metadata = {"text/html": {"isolated": True}}
    cell = nbformat.v4.new_code_cell(PAYLOAD, outputs=[output])
    words = nbformat.v4.new_markdown_cell(
        f"# {PAYLOAD}\n\n![x](https://example.com/x.png)\n\n{evil}"
    )
    write_notebook(folder, cell, words)
    page = Elements(page_of(folder))

    assert not page.runs_something()
    assert ("div", "style", "position:fixed") not in page.attributes
    assert ("div", "id", "happened") not in page.attributes
    # The banner's own, which is outside of the notebook.
    assert ("div", "class", "trust unsigned") in page.attributes
    assert page_of(folder).count('class="trust') == 1


def test_a_picture_that_is_missing_hides_nothing_else(folder):
    """Its cell is shown as it was written; one that is there is shown, without its words."""
    healthy(folder)
    picture = {"a.png": {"image/png": PICTURE}}
    cells = nbformat.v4.new_markdown_cell
    write_notebook(
        folder,
        cells("Look: ![x](attachment:gone.png)"),
        cells("![y](attachment:a.png)", attachments=picture),
    )
    page = page_of(folder)

    assert "![x](attachment:gone.png)" in page
    assert f"data:image/png;base64,{PICTURE}" in page


def test_no_local_file_gets_into_the_page(folder):
    """A picture that names a file of this machine is not read."""
    healthy(folder)
    secret = folder.parent / "secret.png"
    secret.write_bytes(b"never shown")
    write_notebook(folder, nbformat.v4.new_markdown_cell(f"![x]({secret})"))

    assert "bmV2ZXIgc2hvd24" not in page_of(folder)


def test_a_secret_in_a_notebook_is_masked_on_the_page(folder):
    """Known values and what looks like a secret; the runbook's own contact stays."""
    healthy(folder)
    stream = nbformat.v4.new_output("stream", text="hunter2-hunter2 and mail someone@example.com")
    words = nbformat.v4.new_markdown_cell("Write to oncall@example.com.")
    write_notebook(folder, nbformat.v4.new_code_cell("x", outputs=[stream]), words)
    assert "someone@example.com" not in page_of(folder)
    assert "oncall@example.com" in page_of(folder)

    write_record(folder, redactor=Redactor(["hunter2-hunter2"]))
    assert "hunter2" not in (folder / "record.html").read_text()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b"null"])
def test_a_notebook_that_cannot_be_read_is_said(folder, content):
    """A cut off copy is named, and the rest of the record is there."""
    healthy(folder)
    path = write_notebook(folder)
    path.write_bytes(content)

    assert "It cannot be shown" in page_of(folder)
    assert verify_record(folder).problems == ()


def test_an_altered_timeline_is_said_first(folder):
    """The banner warns before anything is told."""
    path = heartbeat(folder).path
    path.write_bytes(path.read_bytes().replace(b"HeartbeatLagHigh", b"HeartbeatLagFine"))
    page = page_of(folder)

    assert "This record is not whole" in page
    assert "No event can be proven, so nothing is known." in page
    assert "Unaltered" not in page


def test_an_empty_folder_still_makes_a_page(folder):
    """Nothing is left is also a finding."""
    folder.mkdir()

    assert "Incident without a readable beginning" in page_of(folder)


def test_the_same_folder_gives_the_same_page(folder):
    """A record can be made anew and compared."""
    heartbeat(folder)
    write_notebook(folder)

    assert write_record(folder).read_bytes() == write_record(folder).read_bytes()


def test_a_link_out_of_the_folder_is_not_followed(folder):
    """A link is listed as a link, and its target is neither shown nor hashed."""
    healthy(folder)
    (folder / "runs").mkdir()
    (folder / "runs" / "x.ipynb").symlink_to("/etc/passwd")

    assert "it is a link to another place" in page_of(folder)
    assert "root:" not in (folder / "record.html").read_text()


def test_nothing_but_the_record_is_left_behind(folder):
    """A record is written whole or not at all."""
    healthy(folder)
    write_record(folder)

    assert sorted(path.name for path in folder.iterdir()) == [
        "record.dsse.json",
        "record.html",
        "record.json",
        "timeline.jsonl",
    ]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
def test_nothing_runs_and_nothing_leaves_in_a_browser(folder):
    """The hostile record, opened: no script, no request, no error, no sideways scroll."""
    from playwright.sync_api import sync_playwright

    story = Story(folder)
    story.opens(title=PAYLOAD)
    story.tell(Noted, text=PAYLOAD)
    story.checks(PAYLOAD, Verdict.FAIL, [{PAYLOAD: PAYLOAD}], expect=PAYLOAD)
    write_notebook(
        folder, shown(PAYLOAD, text_html=PAYLOAD), nbformat.v4.new_markdown_cell(f"# {PAYLOAD}")
    )
    path = write_record(folder)
    # The page must hold without its policy too: a viewer may drop the header.
    bare = path.with_name("bare.html")
    bare.write_text(path.read_text().replace("Content-Security-Policy", "X-None"))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
            ],
        )
        for file in (path, bare):
            page = browser.new_page(viewport={"width": 390, "height": 800})
            requests, errors = [], []
            page.on("request", lambda request, into=requests: into.append(request.url))
            page.on("console", lambda message, into=errors: into.append(message.text))
            page.on("pageerror", lambda error, into=errors: into.append(str(error)))
            page.goto(file.as_uri())
            assert page.title().startswith("INC-2041")
            assert requests == [file.as_uri()]
            assert errors == []
            assert page.locator("script, iframe").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()


def test_times_of_several_days_show_the_day(folder):
    """18:04 of which day is not a question a reader should have."""
    story = Story(folder)
    story.opens()
    story.timeline.append(Noted(at=datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC), text="Still here."))
    assert len(Timeline(folder / "timeline.jsonl")) == 3

    assert "24 Nov, 01:02:03" in page_of(folder).partition('id="timeline"')[2]
