"""From the command to the first verdict on screen: runbook open, and a bare jupyter lab."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import interleaved, show

NAME = "heartbeat_failure_recovery"
ADDRESS = re.compile(r"http://\S+token=\w+")
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
OPEN = [sys.executable, "-m", "runbook_nb", "open", NAME, "--incident", "INC-1", "--no-browser"]


@contextmanager
def served(command: list[str], environ: dict[str, str]) -> Iterator[str]:
    """Start a server and give its address; end it afterwards."""
    server = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        yield next(found[0] for line in server.stderr if (found := ADDRESS.search(line)))
    finally:
        server.terminate()
        server.communicate()


def first_verdict(browser: Any, address: str, *, opened: bool) -> None:
    """Run down to the first check: its own cell alone where the incident is open already."""
    from playwright.sync_api import Error

    page = browser.new_context().new_page()
    reached = False
    while not reached:
        try:
            page.goto(address)
            reached = True
        except Error as error:
            # A server names its address a moment before it listens.
            if "ERR_CONNECTION_REFUSED" not in error.message:
                raise
    page.wait_for_selector(".jp-Notebook .rb-board" if opened else "text=/[|] Idle/")
    if not opened:
        page.locator(".jp-CodeCell").nth(0).click()
        for _ in range(3):
            page.keyboard.press("Shift+Enter")
    page.locator(".jp-CodeCell:has-text('incident.check(')").first.click()
    if opened:
        page.keyboard.press("Escape")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".jp-Notebook .rb-card[aria-label$='Agent health']")
    page.context.close()


def ours(browser: Any) -> None:
    """Open a new incident as a responder does."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "RUNBOOK_INCIDENTS": folder}
        with served(OPEN, environ) as address:
            first_verdict(browser, address, opened=True)


def bare(browser: Any, copy: Path) -> None:
    """Open the same copy in JupyterLab as it comes, in an incident that exists already."""
    with tempfile.TemporaryDirectory() as folder:
        incidents = Path(folder) / "incidents"
        shutil.copytree(copy, incidents)
        places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
        environ = {**os.environ, **{f"JUPYTER_{place}": folder for place in places}}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += [f"--ServerApp.root_dir={incidents / 'INC-1' / 'working'}"]
        command += [f"--LabApp.default_url=/lab/tree/{NAME}.ipynb"]
        with served(command, environ) as address:
            first_verdict(browser, address, opened=False)


def main() -> None:
    """Measure both in turn; needs the lab and a Chromium."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environ = {**os.environ, "RUNBOOK_INCIDENTS": folder}
        subprocess.run([*OPEN, "--no-start"], env=environ, check=True, stdout=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        cases = {
            "runbook open": lambda: ours(browser),
            "jupyter lab": lambda: bare(browser, Path(folder)),
        }
        show(
            interleaved(cases, rounds=int(sys.argv[1]) if len(sys.argv) > 1 else 5),
            against="jupyter lab",
        )
        browser.close()


if __name__ == "__main__":
    main()
