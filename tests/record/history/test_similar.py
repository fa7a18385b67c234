"""Similar incidents are found among real timelines, in the record, and by command."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.record.history import History
from runbook_nb.record.history.features import Past
from runbook_nb.record.history.similar import SeenBefore, seen_before
from runbook_nb.record.page import write_record
from runbook_nb.timeline.events import Acted, Acting, Closed, Decided, Noted, Outcome, Verdict
from runbook_nb.timeline.folder import IncidentsFolder
from story import ACTION, LAG, RESTART, START, Elements, Story, cut_off, healthy, heartbeat

# A timeline counts as settled two seconds after its last change; here time is simply later.
LATER = timedelta(minutes=1)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def tonight(tmp_path):
    """Give an open incident, a day after whatever the test tells of."""
    story = Story(tmp_path / "INC-2041")
    story.at = START + timedelta(days=1)
    story.opens()
    story.checks(LAG, Verdict.FAIL, 9.4, "s", if_failed=RESTART)
    return story.timeline


def similar(incidents, *words: str):
    return CliRunner().invoke(app, ["similar", *words, "--incidents", str(incidents)])


def test_a_night_like_this_one_is_found_with_what_resolved_it(tmp_path, tonight):
    """It says what was done, that it held, and the words of who closed it."""
    heartbeat(tmp_path / "INC-2033")
    healthy(tmp_path / "INC-2034")

    first, second = seen_before(tonight.path.parent, list(tonight)).similar

    assert (first.incident, second.incident) == ("INC-2033", "INC-2034")
    assert first.resolved_by == (
        f"{RESTART}, “Restart the agent” done, verified; in words: Agent restarted."
    )
    assert second.resolution == "not on its timeline"


def test_an_action_that_nobody_verified_is_said_to_be_that(tmp_path):
    """Done is not the same as resolved."""
    story = Story(tmp_path / "INC-1")
    story.opens()
    story.checks(LAG, Verdict.FAIL, 9.4, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART, verdict=Verdict.FAIL)
    story.tell(Acting, **ACTION)
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.tell(Closed)

    assert Past.of(list(story.timeline)).resolved_by.endswith("done, not verified")


def test_what_was_verified_after_an_action_held_though_its_clock_was_behind(tmp_path):
    """The order of the timeline says what came after what."""
    story = Story(tmp_path / "INC-1")
    story.opens()
    story.tell(Acted, outcome=Outcome.DONE, **{**ACTION, "because": LAG})
    story.at -= timedelta(minutes=10)
    story.verifies(LAG, Verdict.PASS, 1, "s")
    story.tell(Closed)

    assert Past.of(list(story.timeline)).resolved_by.endswith("done, verified")


def test_what_was_only_rehearsed_resolved_nothing(tmp_path):
    """Nothing that did not happen is a precedent."""
    story = Story(tmp_path / "INC-1")
    story.opens()
    story.tell(Acted, outcome=Outcome.REHEARSED, **ACTION)
    story.tell(Closed)

    assert Past.of(list(story.timeline)).resolved_by == ""


def test_open_and_altered_incidents_and_foreign_folders_are_passed_over(tmp_path, tonight):
    """Whatever stands in the folder, the search ends."""
    cut_off(tmp_path / "INC-2035")
    heartbeat(tmp_path / "INC-2036")
    path = tmp_path / "INC-2036" / "timeline.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Part 1", b"Part 9", 1))
    (tmp_path / "INC-2037").mkdir()
    (tmp_path / "INC-2037" / "timeline.jsonl").write_bytes(b"\xff\x00 no json\n")
    (tmp_path / "notes.txt").write_text("mine")

    before = seen_before(tonight.path.parent, list(tonight))

    assert before.similar == ()
    assert before.looked == before.known == 3


def test_a_cap_that_was_reached_is_said(tmp_path, tonight):
    """Not found among some is not the same as not there."""
    for number in range(3):
        heartbeat(tmp_path / f"INC-{number}")

    said = seen_before(tonight.path.parent, list(tonight), at_most=2).caveat

    assert said == "Only the newest 2 of 3 incidents were looked through."


def test_what_a_cap_left_out_is_there_the_next_time(tmp_path, tonight):
    """The history grows with each who asks, so that nobody waits for all of it."""
    for number in range(3):
        heartbeat(tmp_path / f"INC-{number}")
    history = History(tmp_path, now=lambda: datetime.now(UTC) + LATER)

    assert len(history.refresh(at_most=2).unread) == 2
    assert history.refresh(at_most=2).unread == frozenset()
    assert history.refresh(at_most=2).read == 0


def test_the_history_answers_with_what_the_timeline_says(tmp_path, tonight):
    """Nothing of an incident is lost on its way through the index, and no timeline is read."""
    told = list(heartbeat(tmp_path / "INC-2033"))
    history = History(tmp_path)
    history.refresh()
    shutil.rmtree(tmp_path / "INC-2033")

    assert history.past(Past.of(list(tonight)).signs, besides="INC-2041") == [Past.of(told)]


def test_an_incident_without_a_sign_in_common_is_not_compared(tmp_path):
    """Neither a failed check, nor the runbook, nor the alert."""
    heartbeat(tmp_path / "INC-2033")
    history = History(tmp_path)
    history.refresh()

    assert history.past(['failed "Another check"', 'runbook "other"'], besides="") == []
    assert history.past([], besides="") == []


def test_an_incident_that_is_gone_is_not_named(tmp_path, tonight):
    """The index follows the folder."""
    heartbeat(tmp_path / "INC-2033")
    assert seen_before(tonight.path.parent, list(tonight)).similar
    shutil.rmtree(tmp_path / "INC-2033")

    assert seen_before(tonight.path.parent, list(tonight)) == SeenBefore()


def test_a_history_that_cannot_be_asked_stops_no_close(tmp_path, tonight):
    """Nothing was like it, and nobody could look, are two answers."""
    heartbeat(tmp_path / "INC-2033")
    seen_before(tonight.path.parent, list(tonight))
    index = sqlite3.connect(IncidentsFolder(tmp_path).history)
    index.executescript("DROP TABLE lines; CREATE VIEW lines AS SELECT 1 AS other;")
    index.close()

    before = seen_before(tonight.path.parent, list(tonight))
    assert before.similar == ()
    assert before.caveat.startswith("The incidents before it were not looked through: ")


def test_the_record_shows_it_and_keeps_it_as_facts(tmp_path, tonight):
    """A reader offline has no folder to search."""
    heartbeat(tmp_path / "INC-2033")

    html = write_record(tonight.path.parent).read_text(encoding="utf-8")
    facts = json.loads((tonight.path.parent / "record.json").read_text(encoding="utf-8"))

    section = html.partition('id="similar"')[2].partition("</section>")[0]
    assert "INC-2033" in section
    assert "Restart the agent” done, verified" in section
    assert [each["incident"] for each in facts["similar"]] == ["INC-2033"]


def test_the_record_says_that_nothing_was_like_it(tonight):
    """An empty section would leave the reader to guess whether anybody looked."""
    html = write_record(tonight.path.parent).read_text(encoding="utf-8")

    assert "Nothing before it was like it" in html


def test_words_of_a_past_incident_become_no_markup(tmp_path, tonight):
    """They were written by others, long ago."""
    story = Story(tmp_path / "INC-2033")
    story.opens(title=HOSTILE)
    story.checks(LAG, Verdict.FAIL, 9.4, "s")
    story.tell(Noted, text=HOSTILE)
    story.tell(Closed, resolution=HOSTILE)

    html = write_record(tonight.path.parent).read_text(encoding="utf-8")

    assert "alert(1)" in html
    assert not Elements(html).runs_something()


def test_the_command_prints_why_and_how_it_ended(tmp_path, tonight):
    """One incident is three lines: which, what resolved it, why it is like this one."""
    heartbeat(tmp_path / "INC-2033")

    lines = similar(tmp_path, "INC-2041").stdout.splitlines()

    assert lines[0].startswith("INC-2033 Streaming heartbeat fails")
    assert lines[1].startswith(f"  resolved by: {RESTART}")
    assert "1 of 4 failed checks the same" in lines[2]


def test_the_command_gives_a_machine_the_same(tmp_path, tonight):
    """Scores are numbers there."""
    heartbeat(tmp_path / "INC-2033")

    facts = json.loads(similar(tmp_path, "INC-2041", "--json").stdout)

    assert facts["similar"][0]["incident"] == "INC-2033"
    assert 0 < facts["similar"][0]["score"] <= 1


def test_the_command_says_that_nothing_was_like_it(tmp_path, tonight):
    """No line at all could be a fault."""
    assert similar(tmp_path, "INC-2041").stdout == "Nothing before INC-2041 was like it.\n"
