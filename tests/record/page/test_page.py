"""What the page says, and where each line of the timeline leads."""

import json
import re
from pathlib import Path

import pytest

from runbook_nb.probes.limits import bounds
from runbook_nb.record.close import close
from runbook_nb.record.facts import Record
from runbook_nb.record.page import write_record
from runbook_nb.record.page.chart import chart
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Changed,
    Closed,
    Decided,
    Noted,
    Outcome,
    Verdict,
)
from story import ACTION, LAG, RESTART, RUN, UNBUFFER, Story, cut_off, healthy, heartbeat


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def page_of(folder: Path) -> str:
    return write_record(folder).read_text(encoding="utf-8")


def curated(page: str) -> str:
    return page.partition('<ol class="timeline">')[2].partition("</ol>")[0]


def test_the_story_leaves_out_what_passed_and_what_was_passed_over(story):
    """An option that was not chosen is in the decision, not in the story."""
    story.checks("Well", Verdict.PASS, 1, "s")
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART)
    other = {**ACTION, "title": "Unbuffer", "option": UNBUFFER}
    story.tell(Acted, **other, outcome=Outcome.DECLINED, reason="Not chosen.")
    page = page_of(story.timeline.path.parent)

    assert LAG in curated(page)
    assert "Well" not in curated(page)
    assert "Unbuffer" not in curated(page)
    assert "1 action of options that were not chosen" in page


def test_an_open_question_is_told_once_however_often_it_was_asked(story):
    """Every run asks it again."""
    for _ in range(3):
        story.tell(Asked, question="Tell customers.", owner="Communications", by="")

    assert curated(page_of(story.timeline.path.parent)).count("Tell customers") == 1


def test_a_skipped_question_reads_on_in_the_remarks(story):
    """Its full stop does not stand before what became of it."""
    story.tell(Asked, question="Tell customers.", owner="Communications", by="")
    story.tell(Closed)

    page = page_of(story.timeline.path.parent)
    assert "Tell customers: Nobody answered it before the close." in page


def test_readings_of_one_kind_in_a_row_are_one_line_with_a_link_each(tmp_path):
    """Four failed checks are one line of the story."""
    heartbeat(tmp_path / "INC-1")
    lines = curated(page_of(tmp_path / "INC-1")).split("<li>")
    (failed,) = [line for line in lines if "mark-fail" in line]

    assert failed.count('href="#reading-') == 4
    # Each says when it was read; the first one's time is not theirs.
    assert re.findall(r"<time[^>]*>([\d:]+)</time>", failed) == [
        "18:04:05",
        "18:04:06",
        "18:04:07",
        "18:04:08",
    ]
    assert "— database, alice" in failed


def test_a_step_that_ran_with_another_text_shows_the_difference(story):
    """What was taken away and what was put in, one link from the timeline."""
    edit = {"verb": "check", "title": LAG, "before": "at_most(5)", "after": "at_most(50)"}
    story.timeline.append(Changed(at=story.at, run=RUN, by="alice", **edit))
    page = page_of(story.timeline.path.parent)

    assert 'href="#change-1"' in curated(page)
    assert "- at_most(5)\n+ at_most(50)" in page


def test_the_page_counts_what_was_masked_and_names_what_was_not(story):
    """A log that a responder added is not ours to change."""
    story.tell(Noted, text="The key is sk-ABCDEFGH12345678abcd.")
    folder = story.timeline.path.parent
    (folder / "added.log").write_text("password: hunter2-hunter2", encoding="utf-8")
    page = page_of(folder)
    facts = json.loads((folder / "record.json").read_text(encoding="utf-8"))

    assert "1 secret masked before it was written: 1 prefixed key" in page
    assert "added.log, text: 1 named secret" in page
    assert facts["redaction"]["masked"][0]["kind"] == "prefixed key"
    assert "hunter2" not in page


@pytest.mark.parametrize(
    ("tell", "verdict", "said"),
    [
        (heartbeat, Verdict.PASS, "Fixed and verified"),
        (healthy, Verdict.PASS, "Nothing was found wrong"),
        (cut_off, Verdict.FAIL, "An action was cut off and may be half done"),
    ],
)
def test_one_line_says_how_it_stands(tmp_path, tell, verdict, said):
    """The first thing under the title."""
    found = Record.of(tell(tmp_path / "INC-1")).headline

    assert (found.verdict, found.said) == (verdict, said)


def test_a_fix_that_nobody_verified_is_no_success(story):
    """Nor is one that did not hold."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acted, **ACTION, outcome=Outcome.DONE)
    assert Record.of(story.timeline).headline.verdict is Verdict.WARN

    story.verifies(LAG, Verdict.PASS, 1, "s")
    assert Record.of(story.timeline).headline.verdict is Verdict.PASS

    story.checks(LAG, Verdict.FAIL, 9, "s")
    assert Record.of(story.timeline).headline.said == "Changed and verified, but it did not hold"


def test_what_was_found_and_not_fixed_stays_failed(story):
    """And what nobody could read stays unknown."""
    assert Record.of(story.timeline).headline.said == "Nothing was read"
    story.checks("Load", Verdict.UNKNOWN, None)
    assert Record.of(story.timeline).headline.verdict is Verdict.UNKNOWN
    story.checks(LAG, Verdict.FAIL, 9, "s")
    assert Record.of(story.timeline).headline.said == "Found, and not fixed"


def test_two_different_answers_make_no_chart(story):
    """A before and an after are said in words."""
    for answer in (9, 9, 1):
        story.checks(LAG, Verdict.FAIL if answer > 5 else Verdict.PASS, answer, "s")
    record = Record.of(story.timeline)

    assert chart(record.checks[0], record.phases) is None


def test_a_chart_draws_its_limit_in_the_unit_of_the_answers(story):
    """8,000 ms lie above a limit of 5 s."""
    for answer in (9000, 8000, 400):
        story.checks(LAG, Verdict.FAIL if answer > 5000 else Verdict.PASS, answer, "ms")
    record = Record.of(story.timeline)
    drawn = chart(record.checks[0], record.phases)

    assert drawn is not None
    (limit,) = drawn.limits
    assert drawn.points[1].y < limit.place < drawn.points[2].y


@pytest.mark.parametrize(
    ("words", "unit", "numbers"),
    [
        ("at most 5 s", "ms", [5000]),
        ("at most 5 s", "s", [5]),
        ("1 to 2.5 min", "s", [60, 150]),
        ("-3 to 1e3 rows", "rows", [-3, 1000]),
        ("ok", "", []),
        ("SEV1", "", []),
    ],
)
def test_the_bounds_of_a_limit_are_its_numbers(words, unit, numbers):
    """A digit within a word is none."""
    assert bounds(words, unit) == numbers


def test_contacts_of_every_runbook_that_ran_are_shown(night):
    """The record of two runbooks names whom each of them calls."""
    night.incident()
    night.starts("run-2", runbook="rollback_procedure")
    folder = night.folder / "incidents" / "INC-1"
    called = Runbook.find("rollback_procedure").contacts[0]
    (folder / "runs").mkdir()
    (folder / "runs" / "added.log").write_text(f"Wrote to {called}.", encoding="utf-8")
    page = close(night.folder / "incidents", "INC-1", by="sam").page.read_text(encoding="utf-8")

    assert "Not masked" not in page
