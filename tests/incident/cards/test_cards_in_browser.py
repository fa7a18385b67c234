"""Cards and board in a real browser: for every eye, in both themes, and at twice the size."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cards import every_event

from runbook_nb.incident.board import board_of
from runbook_nb.incident.cards import BoardCard, Card
from runbook_nb.runbook.runbook import Runbook
from story import START, UNBUFFER, cut_off, heartbeat

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
QUIET = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
# JupyterLab says on the body which theme it has, and paints behind its cells in this colour.
THEMES = {"true": "#ffffff", "false": "#111111"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("CI"),
        reason="no Chromium on PATH; install chromium-headless-shell to run the browser tests",
    ),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> str:
    """Every kind of card, in production and edited, and the boards of two incidents."""
    folder = tmp_path_factory.mktemp("incidents")
    runbook = Runbook.find("heartbeat_failure_recovery")
    stories = [heartbeat(folder / "INC-1"), cut_off(folder / "INC-2")]
    shown: list[BoardCard | Card] = [
        BoardCard(board_of(timeline, runbook, now=START)) for timeline in stories
    ]
    shown += [Card(event, production="eu-1", changed=True) for event in every_event(UNBUFFER)]
    shown += [Card(event) for timeline in stories for event in timeline]
    return "".join(each._repr_mimebundle_()["text/html"] for each in shown)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, "--disable-background-networking"]
        )
        yield found
        found.close()


def opened(browser, everything: str, folder: Path, *, theme: str, width: int = 1280):
    """Return a tab on a page with all of it folded out, as JupyterLab shows it."""
    path = folder / f"{theme}.html"
    body = f'<body data-jp-theme-light="{theme}" style="background:{THEMES[theme]}">'
    page = f'<html lang="en"><title>Cards</title>{body}<main>{everything}</main></html>'
    path.write_text(page.replace("<details>", "<details open>"), encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(path.as_uri())
    return tab


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_to_improve(browser, everything, tmp_path, theme):
    """Contrast, names, roles and order, judged by axe-core."""
    from axe_playwright_python.sync_playwright import Axe

    tab = opened(browser, everything, tmp_path, theme=theme)
    found = Axe().run(tab, options={"rules": {"page-has-heading-one": {"enabled": False}}})

    assert found.violations_count == 0, found.generate_report()
    contrast = [each for each in found.response["passes"] if each["id"] == "color-contrast"]
    assert len(contrast[0]["nodes"]) > 100, "axe has measured the contrast"


def test_at_twice_the_size_nothing_has_to_be_scrolled_sideways(browser, everything, tmp_path):
    """A window of 1280 pixels at 200 % has room for 640."""
    tab = opened(browser, everything, tmp_path, theme="true", width=640)

    assert tab.evaluate("document.documentElement.scrollWidth") <= 640
