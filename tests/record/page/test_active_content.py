"""Nothing that anybody wrote runs, loads or leads astray: on the page, on a card, in a browser."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hostile import ALL, VECTORS
from runbook_nb.incident.cards import Card
from runbook_nb.record.page import write_record
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Alert,
    Alerted,
    Approved,
    Asked,
    Closed,
    Decided,
    Ended,
    Evidence,
    Noted,
    Opened,
    Option,
    Outcome,
    Started,
    Stopped,
    Undone,
    Verdict,
    Verified,
)
from story import START, Story

lean_imports()
import nbformat  # noqa: E402 - its import is fast only after lean_imports

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]
KINDS = (
    "text/plain",
    "text/html",
    "text/markdown",
    "text/latex",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "application/javascript",
    "application/json",
    "application/vnd.jupyter.widget-view+json",
    "application/pdf",
)
# What a browser would still run, load or follow, looked for in the document as it was parsed.
FOUND = """() => {
  const found = [];
  const shady = /^[\\s\\u0000-\\u001f]*(javascript|vbscript|data):/i;
  for (const each of document.querySelectorAll('*')) {
    if (/^(script|iframe|object|embed|form|base|meta)$/i.test(each.tagName)
        && each.parentElement !== document.head) found.push(each.tagName);
    if (/^script$/i.test(each.tagName)) found.push('script');
    for (const {name, value} of each.attributes) {
      if (/^on/i.test(name)) found.push(`${each.tagName} ${name}`);
      if (/^(href|xlink:href|action|formaction)$/i.test(name) && shady.test(value)
          && each.tagName !== 'LINK') found.push(`${name}=${value.slice(0, 60)}`);
      if (/^(src|srcset|srcdoc|poster|background)$/i.test(name)
          && !/^data:image\\/(png|jpeg|gif)/.test(value)) found.push(`${name}=${value}`);
    }
  }
  return found;
}"""


class Browser:
    """A real browser in which scripts may run; it tells what a page made it do."""

    def __init__(self, page) -> None:
        self.page, self.did = page, []
        page.on("dialog", lambda dialog: (self.did.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: self.did.append(request.url))
        page.on("popup", lambda _: self.did.append("popup"))

    def did_with(self, path: Path) -> list[str]:
        """Open a file, point at, focus and unfold everything; return what it did and what is left.

        Links that lead to another place are not followed.
        """
        self.did.clear()
        self.page.goto(path.as_uri(), wait_until="load")
        self.page.evaluate(
            """() => {
              document.querySelectorAll('details').forEach(each => each.open = true);
              document.querySelectorAll('*').forEach(each => {
                for (const kind of ['mouseover', 'mouseenter', 'focus', 'pointerover', 'error'])
                  each.dispatchEvent(new Event(kind));
                if (each.matches('a[href^="#"]')) each.click();
              });
            }"""
        )
        self.page.wait_for_load_state("networkidle")
        ran = self.page.evaluate("window.__ran === undefined ? [] : ['a script ran']")
        loads = [url for url in self.did if url.partition("#")[0] != path.as_uri()]
        return [*loads, *ran, *self.page.evaluate(FOUND)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    arguments.append("--disable-background-networking")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield Browser(chromium.new_page())
        chromium.close()


def hostile(folder: Path, text: str) -> Story:
    """Tell an incident in which every word anybody can write is hostile."""
    story = Story(folder)
    keyed = {text: text}
    alert = Alert(
        name=text,
        fingerprint=text,
        severity=text,
        summary=text,
        description=text,
        labels={**keyed, "runbook_url": text},
    )
    who = {"by": text, "run": text}
    evidence = Evidence(
        question=text,
        answer=[keyed, {"nested": [keyed]}],
        unit=text,
        source=text,
        asked=(text, text),
        detail=[keyed],
        read_at=START,
        reason=text,
    )
    done = dict.fromkeys(("title", "call", "option", "because", "risk", "undo"), text)
    place = {"runbook": text, "environment": text}
    story.tell(Opened, incident=text, title=text, severity=text, alert=alert, **who, **place)
    story.tell(Alerted, alert=alert, **who)
    story.tell(
        Started,
        runbook_digest=text,
        parameters={text: text, "deep": [keyed]},
        attended=True,
        notebook=text,
        versions=keyed,
        **who,
        **place,
    )
    words = dict.fromkeys(("expect", "fail", "if_failed", "purpose"), text)
    for verdict in Verdict:
        story.checks(text, verdict, text, text, **{**words, **who, "evidence": evidence})
    option = Option(heading=text, failed=(text,), warned=(text,))
    other = Option(heading=f"other {text}", failed=(text,))
    story.tell(
        Decided,
        option=text,
        recommended=text,
        ranked=(option, other),
        reason=text,
        try_next=(text,),
        **who,
    )
    story.tell(
        Approved,
        option=text,
        text=text,
        parameters=text,
        calls=keyed,
        expires_at=START + timedelta(hours=1),
        requested_by=text,
        **who,
    )
    story.tell(Acting, rehearsal=keyed, approved_by=text, **done, **who)
    for outcome in Outcome:
        results = {"rehearsal": [keyed], "result": keyed, "reason": text}
        story.tell(Acted, outcome=outcome, **results, **done, **who)
    undone = {"outcome": Outcome.FAILED, "result": text, "reason": text}
    story.tell(Undone, title=text, call=text, **undone, **who)
    story.tell(
        Verified,
        title=text,
        verdict=Verdict.FAIL,
        readings=1,
        wanted=2,
        took_s=1,
        waited=True,
        evidence=evidence,
        expect=text,
        **who,
    )
    story.tell(Asked, question=text, owner=text, answer=text, **who)
    story.tell(Asked, question=text, owner=text, skipped=text, **who)
    story.tell(Noted, text=text, **who)
    story.tell(Noted, text=text, runbook=True, **who)
    story.tell(Stopped, reason=text, **who)
    story.tell(Ended, runbook=text, complete=False, reason=text, **who)
    story.tell(Closed, resolution=text, **who)
    return story


def hostile_notebook(path: Path) -> None:
    """Write an executed notebook with every vector in every kind of cell and output."""
    new, outputs = nbformat.v4, []
    for vector in (*VECTORS, ALL):
        for kind in KINDS:
            data = {kind: {"x": vector} if kind.endswith("json") else vector}
            meta = {kind: {"isolated": True}, "note": vector}
            outputs.append(new.new_output("display_data", data=data, metadata=meta))
        outputs.append(new.new_output("stream", name="stdout", text=f"{vector}\n"))
        error = {"ename": vector, "evalue": vector, "traceback": [vector, f"\x1b[31m{vector}"]}
        outputs.append(new.new_output("error", **error))
    cells = [
        new.new_code_cell(ALL, outputs=outputs, metadata={"tags": [VECTORS[0]], "name": VECTORS[0]})
    ]
    for vector in (*VECTORS, ALL):
        cells += [new.new_markdown_cell(vector), new.new_markdown_cell(f"# {vector}")]
        cells += [new.new_raw_cell(vector, metadata={"raw_mimetype": "text/html"})]
        cells += [new.new_code_cell(vector)]
    picture = {"<img src=x onerror=window.__ran=1>.png": {"image/svg+xml": VECTORS[18]}}
    cells.append(new.new_markdown_cell("![x](attachment:x.png)", attachments=picture))
    front = {"name": ALL, "title": ALL, "escalation": [ALL]}
    notebook = new.new_notebook(cells=cells, metadata={"runbook": front, "title": ALL})
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def bare(path: Path) -> Path:
    """Return a page without its policy: a mail program or a wiki may drop it."""
    page = path.read_text(encoding="utf-8")
    assert page.count("Content-Security-Policy") == 1
    other = path.with_name("bare.html")
    other.write_text(page.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    return other


def test_the_browser_sees_what_runs(browser, tmp_path):
    """Shown as markup, the vectors do run: a check that finds nothing here would prove nothing."""
    (tmp_path / "raw.html").write_text(f"<body>{VECTORS[0]}{VECTORS[13]}{VECTORS[17]}")
    did = browser.did_with(tmp_path / "raw.html")

    assert "a script ran" in did
    assert "IMG onerror" in did
    assert any("canary.example" in each for each in did)


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_no_vector_acts_in_any_field_of_a_record(browser, tmp_path, number):
    """In every field of every event, without the page's policy."""
    hostile(tmp_path / "INC-1", VECTORS[number])

    assert browser.did_with(bare(write_record(tmp_path / "INC-1"))) == []


def test_no_vector_acts_in_an_executed_notebook(browser, tmp_path):
    """In code, words, every kind of output, errors, metadata, attachments and file names."""
    folder = tmp_path / "INC-1"
    hostile(folder, ALL)
    hostile_notebook(folder / "runs" / "<img src=x onerror=window.__ran=1>.ipynb")
    (folder / "runs" / '"><svg onload=window.__ran=1>').write_text(ALL)
    (folder / "javascript:window.__ran=1").write_text(ALL)
    page = write_record(folder)

    assert "It cannot be shown" not in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count('class="cell"') > len(VECTORS)
    assert browser.did_with(bare(page)) == []


def test_no_vector_acts_on_a_card(browser, tmp_path):
    """A card in JupyterLab is HTML in a page that runs scripts and has no policy."""
    for number, text in enumerate((*VECTORS, ALL)):
        story = hostile(tmp_path / str(number), text)
        cards = [Card(event)._repr_mimebundle_()["text/html"] for event in story.timeline]
        path = tmp_path / "cards.html"
        path.write_text("<!doctype html><meta charset=utf-8>" + "".join(cards), encoding="utf-8")

        assert browser.did_with(path) == [], text
