"""A responder's desk: one JupyterLab for the tests of a module, and browsers to look at it."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trial
from command import Command

from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import LabState

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]
LOOPBACK = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")
# JupyterLab saves less often where a save takes long, as it does on a busy machine.
PATIENCE_MS = 120_000
SECRET = "kx9_staple_unlikely"
# A second environment beside the lab, and a secret that no setting refers to.
FAR = {
    "RUNBOOK_ENVIRONMENTS__FAR__KIND": "staging",
    "RUNBOOK_ENVIRONMENTS__FAR__DATABASE__READER": "env:FAR_DATABASE",
    "FAR_DATABASE": "postgresql://reader:far-far-away@127.0.0.1:1/platform",
    "FAR_LEFTOVER_TOKEN": "left-behind-in-a-shell",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and skip it where there is none."""
    missing = CHROMIUM is None and not os.environ.get("CI")
    reason = "no Chromium on PATH; install chromium-headless-shell to run the browser tests"
    for item in items:
        if "tab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(missing, reason=reason))
            item.add_marker(pytest.mark.timeout(420))


def until(holds: Callable[[], object]) -> None:
    """Wait for what happens a moment after the browser asked."""
    ends = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)


class Desk(Command):
    """The command with one JupyterLab that serves all its incidents."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(folder)
        self.environ.update({"TRIAL_TOKEN": SECRET, **FAR, **environ})
        shown = "```python\nincident.note(trial.print_secret())\n```\n"
        text = trial.dead_sessions(shown).replace("alerts: []", "alerts: [TrialSessionsSilent]")
        self.write("dead_sessions", text)
        self.write("two_ways", trial.two_ways())
        self.server = self.start("open", "--no-browser")
        self.says = [next(line for line in self.server.stderr if "token=" in line)]

    def write(self, name: str, markdown: str) -> Path:
        """Write a runbook and return its master."""
        from runbook_nb.runbook.pair import write as write_pair

        notebooks = self.folder / "notebooks"
        notebooks.mkdir(exist_ok=True)
        (notebooks / f"{name}.md").write_text(markdown, encoding="utf-8")
        write_pair(notebooks / f"{name}.md")
        self.environ["RUNBOOK_NOTEBOOKS"] = str(notebooks)
        return notebooks / f"{name}.ipynb"

    def address(self, *arguments: str) -> str:
        """Open something as a responder does; return the address that the browser is sent to."""
        told = self("open", *arguments, "--no-browser")
        return re.search(r"http://\S+token=\w+", told)[0]

    def copy(self, incident: str, name: str = "dead_sessions") -> Path:
        return self.incidents / incident / "working" / f"{name}.ipynb"

    def kinds(self, incident: str) -> list[object]:
        return [event["kind"] for event in self.events(incident)]

    def end(self) -> None:
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.server.kill()


@pytest.fixture(scope="module")
def desk(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One JupyterLab, on incidents of the module's own."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.end()


# Whoever is asked types at once: the box has the focus, and nothing hides it.
_READY = """() => {
    const box = document.activeElement;
    const { x, y, width, height } = box.getBoundingClientRect();
    const seen = document.elementFromPoint(x + width / 2, y + height / 2) === box;
    return seen && Boolean(box.closest(".jp-Stdin"));
}"""


class Tab:
    """A tab on a notebook, with what a responder does in it."""

    def __init__(self, page: object) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requested: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on(
            "console", lambda said: self.errors.append(said.text) if said.type == "error" else 0
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))

    def open(self, address: str) -> None:
        """Open a notebook."""
        self.page.goto(address)
        self.settled()

    def settled(self) -> None:
        """Wait until the kernel has joined the incident."""
        self.page.wait_for_selector(".jp-Notebook .rb-board")
        self.page.wait_for_selector("text=/[|] Idle/")

    def run_all(self) -> None:
        self.page.click('.lm-MenuBar-itemLabel:text("Run")')
        self.page.click(".lm-Menu-item[data-command='runmenu:run-all']")

    def asks(self, question: str) -> None:
        """Wait until a cell asks this."""
        self.page.wait_for_selector(f'.jp-Stdin:has-text("{question}") .jp-Stdin-input')

    def answer(self, text: str, *, to: str) -> None:
        """Answer a question of a cell, once its box is ready to be typed in."""
        self.asks(to)
        until(lambda: self.page.evaluate(_READY))
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def selects(self, code: str) -> None:
        """Wait until the cell with this code is the one that Shift+Enter runs."""
        self.page.locator(".jp-CodeCell.jp-mod-active").filter(has_text=code).wait_for()

    def goes_to(self, check: str) -> None:
        """Follow the board to a check that failed: where it stands, nobody may have scrolled to."""
        self.page.locator(f"#runbook-board li[data-verb=check] a:text-is('{check}')").click()
        self.page.wait_for_selector(f".jp-Notebook .rb-card.rb-fail >> text={check}")

    def board(self) -> str:
        return self.page.inner_text("#runbook-board")

    def board_says(self, text: str) -> None:
        """Wait until the board at the side says so."""
        self.page.wait_for_selector(f"#runbook-board >> text={text}")


@pytest.fixture
def tab() -> Iterator[Callable[[], Tab]]:
    """Open tabs; at the end, none has asked another machine for anything or met an error."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browsers, tabs = [], []

        def another(**options: object) -> Tab:
            """Return a tab of a browser of its own, as on another responder's screen."""
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            browsers.append(browser)
            page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **options})
            tabs.append(Tab(page))
            return tabs[-1]

        yield another
        for browser in browsers:
            browser.close()
        requested = [url for tab in tabs for url in tab.requested]
        assert [url for url in requested if not LOOPBACK.match(url)] == []
        assert [error for tab in tabs for error in tab.errors] == []


@pytest.fixture
def dead_sessions(lab: LabState) -> Iterator[None]:
    """Leave silent sessions active for as long as the test takes."""
    FAULTS["sessions_silent"].inject(lab)
    yield
    FAULTS["sessions_silent"].heal(lab)
