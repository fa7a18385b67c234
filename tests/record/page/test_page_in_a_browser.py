"""The page as a reader has it: opened from a file, in the dark, on a phone, by ear, on paper."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from runbook_nb.incident.cards import Card
from runbook_nb.record.page import write_record
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Approved,
    Asked,
    Closed,
    ClosingStatement,
    Decided,
    FollowUp,
    Opened,
    Outcome,
    Reported,
    Started,
    Verdict,
)
from story import ACTION, LAG, RESTART, RUN, UNBUFFER, Story, cut_off, evidence, healthy, heartbeat

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]
PHONE = {"width": 360, "height": 800}
PAPER = {"width": 680, "height": 1009}  # CSS pixels of an A4 page within its margins
# What scrolls sideways within the page hides as much as a page that does.
SIDEWAYS = """() => [...document.querySelectorAll('body *')].filter(each =>
    each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline'
    && !each.matches('.hidden, thead, thead *')).map(each => each.outerHTML.slice(0, 80))"""
DANGLING = """() => [...document.querySelectorAll('a[href^="#"]')]
    .map(each => decodeURIComponent(each.getAttribute('href').slice(1)))
    .filter(name => document.getElementById(name) === null)"""
TWICE = """() => [...document.querySelectorAll('[id]')].map(each => each.id)
    .filter((name, place, all) => all.indexOf(name) !== place)"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Run one browser for all tests of this file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Give a function that makes the record of a told incident and opens it."""
    contexts = []

    def visit(tell: Callable[[Path], object], **words: Any) -> Any:
        tell(tmp_path / "INC-2041")
        context = chromium.new_context(**words)
        contexts.append(context)
        page = context.new_page()
        page.goto(write_record(tmp_path / "INC-2041").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()


def three_runs(folder: Path) -> None:
    """Tell an incident of three runs: a machine finds, a machine is refused, a person fixes."""
    story = Story(folder)
    story.opens()
    machine = {"runbook_digest": "ab" * 32, "environment": "lab", "parameters": {"window_s": 60}}
    for number in (1, 2):
        run = {"run": f"r{number}", "by": "alertmanager"}
        story.tell(Started, **run, runbook="incident_response", attended=False, **machine)
        story.checks(LAG, Verdict.FAIL, 9.5 + number, "s", if_failed=RESTART, **run)
        story.checks("Load", Verdict.UNKNOWN, None, **run)
        story.tell(Decided, **run, option=RESTART, recommended=RESTART)
        story.tell(Acted, **run, **ACTION, outcome=Outcome.REHEARSED, reason="Not approved.")
        other = {**ACTION, "title": "Unbuffer", "option": UNBUFFER}
        story.tell(Acted, **run, **other, outcome=Outcome.DECLINED, reason="Not chosen.")
        question = "Post in #incidents: what users see."
        story.tell(Asked, **{**run, "by": ""}, question=question, owner="Communications")
    rows = [{"mission_id": f"m-{number}", "lag_ms": 8000 + number} for number in range(30)]
    reading = evidence(8.0, "s", detail=rows, source="lab database")
    story.checks(LAG, Verdict.FAIL, None, if_failed=RESTART, evidence=reading)
    story.tell(Acted, **ACTION, outcome=Outcome.DONE, result={"state": "started"}, took_s=3)
    story.verifies(LAG, Verdict.PASS, 0.4, "s")


def usual(folder: Path, *, long: int = 1) -> None:
    """Tell what a night usually is: two machine's runs, a person's, twelve checks, all verified."""
    story = Story(folder)
    story.opens(title="Streams freeze for everybody on the board " * long)
    titles = [f"Check {number}: a reading of the platform" for number in range(12)]
    begins = {"runbook": "heartbeat_failure_recovery", "runbook_digest": "ab" * 32}
    rows = [{"mission": f"m-{number}", "tenant": "t", "lag_ms": 8000} for number in range(15)]
    for number, by in enumerate(("alertmanager", "alice", "bob") * long):
        run = {"run": f"{RUN}-{number}", "by": by}
        story.tell(Started, **run, **begins, environment="lab", parameters={}, attended=True)
        for place, title in enumerate(titles):
            verdict = Verdict.FAIL if place < 3 else Verdict.PASS
            read = evidence(9.0 + number if place < 3 else 0.3, "s", detail=rows, read_at=story.at)
            story.checks(title, verdict, 0, if_failed=RESTART, evidence=read, **run)
        story.tell(Decided, **run, option=RESTART, recommended=RESTART)
        story.tell(Acted, **run, **ACTION, outcome=Outcome.REHEARSED, reason="Not approved.")
        question = "Post in #incidents: severity, blast radius and the runbook."
        story.tell(Asked, **{**run, "by": ""}, question=question, owner="Communications")
        agreed = {"text": "ab" * 32, "parameters": "cd" * 32}
        until = story.at + timedelta(hours=1)
        story.tell(Approved, after=9, option=RESTART, by="bob", **agreed, expires_at=until)
    for report in range(long):
        story.tell(Reported, words=f"Report {report}: streams freeze since noon. " * long)
    story.tell(Acting, **run, **ACTION, attempt="a")
    story.tell(Acted, **run, **ACTION, attempt="a", outcome=Outcome.DONE, took_s=4)
    for title in titles:
        story.verifies(title, Verdict.PASS, 0.4, "s")
    follow_ups = (FollowUp(text="Limit the size of an export. " * long, owner="Data team"),) * long
    stated = ClosingStatement(
        cause="An export held the loop. " * long,
        commander="Alice Ng",
        users_saw="Streams froze. " * long,
        follow_ups=follow_ups,
    )
    story.tell(Closed, resolution="The agent was restarted. " * long, statement=stated)


def with_notebook(folder: Path) -> None:
    """Tell the whole incident, and keep an executed notebook with a card beside it."""
    timeline = heartbeat(folder)
    bundle = Card(timeline[2])._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=bundle)
    cells = [
        nbformat.v4.new_markdown_cell(f"# Heartbeat\n\n## Resolution\n\n### {RESTART}"),
        nbformat.v4.new_code_cell("incident.check('Lag', probe(), expect=1)", outputs=[output]),
    ]
    (folder / "runs").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "runs" / f"{RUN}.ipynb")


TOLD = (with_notebook, three_runs, usual, healthy, cut_off)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tell", TOLD)
def test_axe_finds_no_violation(opened, tell, scheme):
    """With every part unfolded, in both colour schemes."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened(tell, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("tell", TOLD)
def test_every_link_within_the_page_has_its_target_and_no_name_is_given_twice(opened, tell):
    """A line of the timeline leads to its evidence."""
    page = opened(tell)

    assert page.locator("a[href^='#']").count() > 0
    assert page.evaluate(DANGLING) == []
    assert page.evaluate(TWICE) == []


def test_each_line_of_the_story_links_to_its_evidence(opened):
    """A link into a folded part unfolds it."""
    page = opened(with_notebook)
    lines = page.locator("#timeline ~ ol.timeline > li")

    assert lines.count() > 5
    assert all(line.locator("a").count() for line in lines.all())
    line = lines.filter(has_text=f"{LAG}: 9.4 s").first
    line.locator("a").first.click()
    assert page.evaluate("location.hash") == "#reading-3"
    assert page.locator("#reading-3").is_visible()


def test_it_asks_for_nothing_and_runs_nothing(opened):
    """From a file, offline, under a policy that forbids both."""
    page = opened(with_notebook, offline=True)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()

    assert asked == [page.url]
    assert page.locator("script, iframe, object, embed, link[rel=stylesheet]").count() == 0
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.mark.parametrize("tell", TOLD)
def test_on_paper_evidence_is_left_out_and_that_is_said(opened, tell):
    """A printed record is read; what passed is named, and the page holds the rest."""
    page = opened(tell)
    page.emulate_media(media="print")

    assert page.locator("details:visible").count() == 0
    assert page.get_by_text("they stand in record.html").is_visible()
    for title in page.locator("#checks ~ details tbody th[scope=row]").all_text_contents():
        assert title in page.locator("section:has(#checks) > .paper").inner_text()


@pytest.mark.parametrize("tell", TOLD)
def test_a_usual_incident_prints_on_at_most_six_pages_of_a4(opened, tmp_path, tell):
    """297 mm are 842 points."""
    page = opened(tell)
    page.pdf(path=tmp_path / "record.pdf", prefer_css_page_size=True)
    sizes = re.findall(
        rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)", (tmp_path / "record.pdf").read_bytes()
    )

    assert 0 < len(sizes) <= 6
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}


@pytest.mark.parametrize("long", [1, 12])
def test_the_summary_prints_on_one_page_of_its_own(opened, long):
    """However much was said."""
    page = opened(partial(usual, long=long), viewport=PAPER)
    page.emulate_media(media="print")
    summary = page.locator("section.first")
    box = summary.bounding_box()

    assert box["y"] + box["height"] <= PAPER["height"]
    assert summary.evaluate("each => getComputedStyle(each).breakAfter") == "page"


def test_each_printed_page_names_the_incident_and_its_number(opened):
    """A sheet alone says what it belongs to."""
    page = opened(usual)
    rules = page.evaluate("document.querySelector('style').textContent")

    assert '@bottom-left{content:"INC-2041"' in rules
    assert '@bottom-right{content:counter(page) " of " counter(pages)' in rules


def test_an_id_that_is_none_stays_a_text_in_the_margin(opened):
    """A forged one must not end the style."""
    hostile = '"}</style><script>document.title="run"</script>'
    page = opened(lambda folder: forged(folder, hostile))

    assert page.title() != "run"
    assert page.locator("script").count() == 0


def forged(folder: Path, incident: str) -> None:
    """Tell an opening with an id that no command would give."""
    words = {"title": "x", "severity": "SEV2", "runbook": "x", "environment": "lab"}
    Story(folder).forge(Opened, incident=incident, **words)


@pytest.mark.parametrize("tell", TOLD)
def test_a_phone_scrolls_in_one_direction_only(opened, tell):
    """Also with every part unfolded."""
    page = opened(tell, viewport=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(SIDEWAYS) == []


def test_without_colour_every_verdict_has_a_sign_and_a_word(opened):
    """Red and green are the same grey on paper."""
    page = opened(three_runs)
    marks = page.locator(".mark").all_text_contents()

    assert all(re.match(r"[✓!?✗•]\s+\w", mark) for mark in marks)


def test_readings_over_time_are_a_chart_that_can_be_heard(opened):
    """The curve, its limit and the incident's times, and the same in words."""
    page = opened(three_runs)
    chart = page.get_by_role("img", name=LAG)

    assert chart.locator(".cross").count() == 3
    assert chart.locator(".point").count() == 1
    assert "at most 5 s" in chart.text_content()
    assert chart.locator("text").all_text_contents()[:3] == ["0", "5", "10 s"]
    said = chart.get_attribute("aria-label")
    assert "10.5 s at 18:04" in said
    assert "Mitigated at 18:04" in said
