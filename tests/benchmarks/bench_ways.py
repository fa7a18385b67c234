"""From an alert to a closed record in three ways: clicks, keys, and the seconds of the machine.

    python tests/benchmarks/bench_ways.py

A new project with its own lab, whose only worker is gone each time. By command, in a terminal with
``runbook walk``, and in JupyterLab in a real browser. Nobody thinks and nobody reads: the seconds
are those that a responder waits. A line of a command counts its letters and its Enter.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect

RUNBOOK = (sys.executable, "-m", "runbook_nb")
PROMPT = "says more: "
ALERT = {"labels": {"alertname": "QueueWaitHigh"}, "annotations": {"summary": "Jobs wait."}}
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
WAITS_MS = 120_000


@dataclass
class Way:
    """What one way took."""

    name: str
    clicks: int = 0
    keys: int = 0
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def typed(self, text: str) -> str:
        """Count a line, its Enter included, and return it."""
        self.keys += len(text) + 1
        return text

    def ended(self) -> "Way":
        """Stop the clock."""
        self.seconds = time.monotonic() - self.began
        return self


class Place:
    """A new project and its lab."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "new"
        kept = {name: text for name, text in os.environ.items() if not name.startswith("RUNBOOK_")}
        self.environ = {**kept, "RUNBOOK_LAB": str(folder / "lab"), "TERM": "xterm-256color"}
        self._run(folder, "init", "new")
        (self.root / "a.json").write_text(json.dumps(ALERT), encoding="utf-8")
        self.run("lab", "up")

    def run(self, *words: str) -> str:
        """Run a command to its end, whatever verdict it has, and return what it said."""
        return self._run(self.root, *words)

    def _run(self, folder: Path, *words: str) -> str:
        done = subprocess.run(
            [*RUNBOOK, *words],
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def typed(self, way: Way, line: str) -> str:
        """Run what somebody types at the shell."""
        return self.run(*way.typed(line).split()[1:])


def by_command(place: Place) -> Way:
    """Diagnose, approve what was found in the run that acts, and close."""
    way = Way("by command")
    incident = incident_in(place.typed(way, "runbook run --alert a.json"))
    place.typed(way, f"runbook run queue_backlog --incident {incident} --approve A")
    closed(place.typed(way, f"runbook close {incident}"))
    return way.ended()


def in_a_terminal(place: Place) -> Way:
    """Run on, answer, choose, type the word, run on, and close."""
    way = Way("in a terminal")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "runbook_nb", *way.typed("runbook walk --alert a.json").split()[1:]],
        cwd=str(place.root),
        env=place.environ,
        timeout=120,
        encoding="utf-8",
    )
    shown = ""
    asked = [PROMPT, "leaves it open: ", "Press Enter for", "type 'do' to do it", pexpect.EOF]
    answers = ["a", "Told them.", "", "do"]
    while (found := child.expect_exact(asked)) < len(answers):
        shown += child.before
        child.sendline(way.typed(answers[found]))
    shown += child.before
    closed(place.typed(way, f"runbook close {incident_in(shown)}"))
    return way.ended()


def in_jupyterlab(place: Place) -> Way:
    """Open it, run all, answer what is asked, and close on the board."""
    from playwright.sync_api import sync_playwright

    way = Way("in JupyterLab")
    line = way.typed("runbook open --alert a.json").split()[1:]
    server = subprocess.Popen(
        [*RUNBOOK, *line, "--no-browser"],
        cwd=place.root,
        env=place.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = next(found[0] for said in server.stderr if (found := re.search(r"http\S+", said)))
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(WAITS_MS)
            page.goto(address)
            page.wait_for_selector(".jp-Notebook .rb-board")
            page.wait_for_selector("text=/[|] Idle/")
            by_hand(page, way)
            browser.close()
    finally:
        server.terminate()
        server.wait(60)
    return way


def by_hand(page: Any, way: Way) -> None:
    """Click and type in the tab as a responder does, until the record is made."""

    def click(place: str) -> None:
        page.click(place)
        way.clicks += 1

    click('.lm-MenuBar-itemLabel:text("Run")')
    click(".lm-Menu-item[data-command='runmenu:run-all']")
    for question, answer in (
        ("leave", "Told them."),
        ("Press Enter for", ""),
        ("type 'do' to do it", "do"),
    ):
        page.wait_for_selector(f'.jp-Stdin:has-text("{question}") .jp-Stdin-input')
        page.keyboard.type(way.typed(answer))
        page.keyboard.press("Enter")
    page.wait_for_selector("#runbook-board >> text=/Verification.*pass/")
    click("#runbook-board summary:has-text('Close INC')")
    click("#runbook-board textarea[name=resolution]")
    page.keyboard.type("A worker runs again.")
    way.keys += len("A worker runs again.")
    click("#runbook-board button:has-text('Close it')")
    page.wait_for_selector("#runbook-board >> text=/is closed/")
    way.ended()


def incident_in(said: str) -> str:
    """Return the incident that a command names."""
    found = re.search(r"INC-\d+", said)
    if not found:
        raise SystemExit(said)
    return found[0]


def closed(said: str) -> None:
    """Stop where nothing was closed."""
    if "is closed" not in said:
        raise SystemExit(said)


def main() -> None:
    """Measure and print."""
    ways: tuple[Callable[[Place], Way], ...] = (by_command, in_a_terminal, in_jupyterlab)
    with tempfile.TemporaryDirectory(prefix="runbook-ways-") as folder:
        Path(folder).chmod(0o711)
        place = Place(Path(folder))
        try:
            print(f"{'':14} clicks  keys  seconds")
            for go in ways:
                place.run("lab", "inject", "worker_gone")
                way = go(place)
                print(f"{way.name:14} {way.clicks:6} {way.keys:5} {way.seconds:8.1f}", flush=True)
                place.run("lab", "heal", "worker_gone")
        finally:
            with suppress(KeyboardInterrupt):
                place.run("lab", "down")


if __name__ == "__main__":
    main()
