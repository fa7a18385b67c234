"""A responder in JupyterLab: a real server, a real kernel, a real browser."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import trial

from runbook_nb.lab.faults import FAULTS
from runbook_nb.timeline import Timeline

SECRET = "kx9_staple_unlikely"
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="no Chromium on PATH; install chromium-headless-shell to run the browser tests",
    ),
]


@pytest.fixture
def page() -> Iterator[object]:
    """A tab of a headless browser that remembers errors and requests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.errors, tab.requested = [], []
        tab.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else 0)
        tab.on("request", lambda request: tab.requested.append(request.url))
        yield tab
        browser.close()


@pytest.fixture
def dead_sessions(lab) -> Iterator[None]:
    """Leave silent sessions active for as long as the test takes."""
    FAULTS["sessions_silent"].inject(lab)
    yield
    FAULTS["sessions_silent"].heal(lab)


def wait_for(url: str, server) -> None:
    """Wait until the server takes connections; it names its address a moment before."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        assert server.poll() is None, "".join(server.stderr)
        try:
            if httpx.get(url, trust_env=False).status_code < 400:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("JupyterLab did not answer within 30 s.")


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what the server does a moment after the browser asked."""
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)


@pytest.mark.timeout(180)
def test_a_responder_diagnoses_acts_with_a_typed_word_and_closes(
    runbook, dead_sessions, with_notebooks, page, tmp_path
):
    """Run All stops at the action; the same verbs write the same timeline, and no secret."""
    shown = '```python\nprint(__import__("os").environ["TRIAL_TOKEN"])\n```\n'
    with_notebooks("dead_sessions", trial.dead_sessions(shown))
    runbook.environ["TRIAL_TOKEN"] = SECRET
    runbook.environ["JUPYTER_RUNTIME_DIR"] = str(tmp_path / "runtime")
    server = runbook.start("open", "dead_sessions", "--incident", "INC-1", "--no-browser")
    try:
        url = next(
            found[0]
            for line in server.stderr
            if (found := re.search(r"http://\S+/lab/tree/\S+token=\w+", line))
        )
        wait_for(url, server)
        page.goto(url)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        # Cells are there before the kernel is; what is run in between is lost.
        page.wait_for_selector("text=/[|] Idle/", timeout=60_000)
        page.click('.lm-MenuBar-itemLabel:text("Run")')
        page.click(".lm-Menu-item[data-command='runmenu:run-all']")
        page.wait_for_selector(".jp-Stdin-input", timeout=60_000)
        assert not [e for e in runbook.events("INC-1") if e["kind"] == "acted"]
        page.fill(".jp-Stdin-input", "do")
        page.press(".jp-Stdin-input", "Enter")
        page.wait_for_function("document.querySelectorAll('.rb-card').length >= 7", timeout=60_000)
        page.keyboard.press("Control+s")
        page.wait_for_selector(".jp-Notebook .rb-card")
        copy = runbook.incidents / "INC-1" / "working" / "dead_sessions.ipynb"
        wait_until(lambda: "[masked: known value]" in copy.read_text(encoding="utf-8"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    acted = [e for e in runbook.events("INC-1") if e["kind"] == "acted"]
    assert [(e["title"], e["outcome"]) for e in acted] == [("End", "done")]
    assert [e["verdict"] for e in runbook.events("INC-1") if e["kind"] == "verified"] == [
        "pass"
    ] * 2
    assert Timeline(runbook.incidents / "INC-1" / "timeline.jsonl").verify()
    assert "INC-1 is closed" in runbook("close", "INC-1")
    assert len(list((runbook.incidents / "INC-1" / "runs").glob("*-by-hand.ipynb"))) == 1
    files = [path for path in runbook.incidents.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    outside = [
        url
        for url in page.requested
        if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)|data:|blob:", url)
    ]
    assert outside == []
    assert page.errors == []


def test_the_master_is_never_run(runbook, with_notebooks):
    """The working copy has the parameters filled in; the master stays as it is."""
    with_notebooks("dead_sessions", trial.dead_sessions())
    master = runbook.folder / "notebooks" / "dead_sessions.ipynb"
    before = master.read_bytes()
    out = runbook("open", "dead_sessions", "--incident", "INC-1", "--no-start")

    copy = runbook.incidents / "INC-1" / "working" / "dead_sessions.ipynb"
    assert str(copy) in out
    assert "incident_id = 'INC-1'" in copy.read_text(encoding="utf-8")
    assert master.read_bytes() == before
