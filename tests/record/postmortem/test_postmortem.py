"""A draft tells what the record knows, asks what it does not, and names nobody."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import IncidentStateError
from runbook_nb.record.facts import Record
from runbook_nb.record.postmortem import draft_postmortem, write_draft
from runbook_nb.timeline.events import (
    Acted,
    Alert,
    Asked,
    Changed,
    Closed,
    ClosingStatement,
    Decided,
    FollowUp,
    Noted,
    Outcome,
    Verdict,
)
from story import ACTION, ALERT, LAG, RUN, START, Story, cut_off, healthy, heartbeat

HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) | cell ![i](http://evil.example/a.png) "
    "https://evil.example www.evil.example @everyone `code` **bold** &lt;b&gt;"
)
SECTIONS = [
    "Summary",
    "Impact",
    "Root causes",
    "Trigger",
    "Detection",
    "Resolution",
    "Timeline",
    "What went well",
    "What went badly",
    "Where we got lucky",
    "Action items",
]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "INC-2041"


def drafted(timeline) -> str:
    return draft_postmortem(Record.of(timeline), list(timeline))


def test_a_draft_has_the_sections_of_the_sre_book_in_order(folder):
    """Whoever knows one postmortem finds his way in this one."""
    found = re.findall(r"^## (.+)$", drafted(heartbeat(folder)), flags=re.MULTILINE)

    assert found == SECTIONS


def test_causes_and_trigger_are_left_to_people(folder):
    """A program that names a cause has stopped the search for it."""
    draft = drafted(heartbeat(folder))
    causes = draft.partition("## Root causes")[2].partition("## Detection")[0]
    lines = [line for line in causes.splitlines() if line and not line.startswith("## ")]

    assert lines
    assert all(line.startswith("- [ ] ") and line.endswith("?") for line in lines)


def test_people_stand_by_their_roles(folder):
    """Also where a text names them."""
    story = Story(folder)
    story.opens()
    story.tell(Noted, text="alice called bob at noon.")
    draft = drafted(story.timeline)

    assert "alice" not in draft
    assert "responder called" in draft


def test_every_figure_says_how_it_is_known(folder):
    """What nobody measured is a question mark, not a zero."""
    impact = drafted(healthy(folder)).partition("## Impact")[2].partition("## Root")[0]

    assert "| ? | unknown |" in impact


def test_the_timeline_links_to_the_evidence_in_the_record(folder):
    """By the number of the event, which is the line of the timeline."""
    timeline = heartbeat(folder)
    draft = drafted(timeline)
    row = next(line for line in draft.splitlines() if f"fail: {LAG}" in line)
    number = int(re.search(r"\[event (\d+)\]\(INC-2041/record.html#event-\1\)", row)[1])

    assert timeline[number - 1].title == LAG


def test_well_and_badly_hold_facts_of_the_record(folder):
    """What was overridden, unread and left open."""
    story = Story(folder)
    story.opens()
    story.checks("Queue", Verdict.UNKNOWN, None)
    story.tell(
        Decided, option="Option B: Wait", recommended="Option A: Restart", reason="It is Sunday."
    )
    story.tell(Acted, **ACTION, outcome=Outcome.FAILED, reason="refused")
    draft = drafted(story.timeline)
    badly = draft.partition("## What went badly")[2].partition("## Where we")[0]

    assert "'Option A: Restart' was recommended: It is Sunday." in badly
    assert "“Queue”: It could not be read" in badly
    assert "“Restart the agent” failed" in badly


def test_notes_for_the_runbook_become_action_items(folder):
    """They are typed; owner and date are for the meeting."""
    story = Story(folder)
    story.opens()
    story.tell(Noted, text="Check 3 reads the wrong table.", runbook=True)
    items = drafted(story.timeline).partition("## Action items")[2]

    assert (
        "Work this note into the text: Check 3 reads the wrong table. | runbook | ? | ? |" in items
    )
    for kind in ("prevent", "detect", "mitigate", "process"):
        assert f"| ? | {kind} | ? | ? |" in items


def test_an_unfinished_incident_says_so(folder):
    """The draft of a story without an end."""
    draft = drafted(cut_off(folder))

    assert "> The incident is still open" in draft
    assert "cut off, may be half done" in draft


def test_hostile_text_stays_text(folder):
    """No markup, no link, no cell, no mention."""
    story = Story(folder)
    story.opens(title=HOSTILE, alert=Alert(name=HOSTILE, fingerprint="x", summary=HOSTILE))
    story.tell(Noted, text=HOSTILE)
    story.tell(Asked, question=HOSTILE, owner="Communications", answer=HOSTILE)
    draft = drafted(story.timeline)

    from markdown_it import MarkdownIt

    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(draft)
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r'href="(?!INC-2041/record\.html)', html)
    assert "<strong>bold" not in html
    assert "https://evil" not in draft
    assert "@everyone" not in draft
    tables = [line for line in draft.splitlines() if re.match(r"\| \d+ Nov 2026", line)]
    assert tables
    assert all(line.count(" | ") == 3 for line in tables)


def test_what_was_said_at_the_close_answers_its_questions(folder):
    """The cause, what users saw, and who does what; a name in the words is a role."""
    story = Story(folder)
    story.opens()
    follow_up = FollowUp(text="Limit exports, as Ada says", owner="Data team")
    stated = ClosingStatement(
        cause="An export held the loop.",
        commander="Ada",
        users_saw="Streams froze.",
        follow_ups=(follow_up,),
    )
    story.tell(Closed, statement=stated)
    draft = drafted(story.timeline)

    assert "In the words of who closed it: An export held the loop." in draft
    assert "- [ ] What made this possible?" not in draft
    assert "Users saw: Streams froze." in draft
    assert "| Commander | Ada |" in draft
    assert "| Limit exports, as commander says | follow-up | Data team | ? |  |" in draft


def test_an_edited_draft_is_not_overwritten(folder, tmp_path):
    """Work of a person is lost only when it is said."""
    draft, path = drafted(heartbeat(folder)), tmp_path / "p.md"
    write_draft(path, draft, force=False)
    write_draft(path, draft, force=False)
    path.write_text(path.read_text().replace("- [ ] What else?", "Luck: none.", 1))

    with pytest.raises(IncidentStateError, match="--to"):
        write_draft(path, draft, force=False)
    assert "Luck: none." in path.read_text()
    write_draft(path, draft, force=True)
    assert "Luck: none." not in path.read_text()


def test_the_command_writes_beside_the_folder_and_breaks_no_seal(folder):
    """A file within it would be one that nobody sealed."""
    heartbeat(folder)
    done = CliRunner().invoke(app, ["postmortem", "INC-2041", "--incidents", str(folder.parent)])

    assert done.exit_code == 0, done.output
    assert (folder.parent / "INC-2041.postmortem.md").is_file()
    assert [path.name for path in folder.iterdir()] == ["timeline.jsonl"]


def test_when_it_began_is_not_made_up(folder):
    """An alert that does not say when it began tells nothing of how late it came."""
    draft = drafted(heartbeat(folder))
    told = draft_postmortem(
        replace(
            Record.of(timeline := heartbeat(folder.with_name("INC-1"))),
            alert=replace(ALERT, starts_at=START - timedelta(minutes=2)),
        ),
        list(timeline),
    )

    assert "after it began" not in draft
    assert "The alert HeartbeatLagHigh opened it 2 min after it began." in told


def test_a_run_without_an_end_in_a_closed_incident_is_said(folder):
    """Somebody closed it over a run that was cut off."""
    timeline = cut_off(folder)
    timeline.append(Closed(at=START + timedelta(hours=1), by="alice"))

    assert "has no end on the timeline" in drafted(timeline)


def test_it_links_to_what_was_seen_before_without_the_words_of_then(folder):
    """Those may name people whose roles are not known here."""
    story = Story(folder.with_name("INC-2033"))
    story.opens()
    story.checks(LAG, Verdict.FAIL, 9.4, "s")
    story.tell(Closed, resolution="Zacharias pulled the plug.")
    tonight = Story(folder)
    tonight.at = START + timedelta(days=1)
    tonight.opens()
    tonight.checks(LAG, Verdict.FAIL, 9.4, "s")

    said = (
        CliRunner()
        .invoke(app, ["postmortem", "INC-2041", "--to", "-", "--incidents", str(folder.parent)])
        .stdout
    )

    assert "Seen before: [INC-2033](INC-2033/record.html): 1 of 1 failed check the same" in said
    assert "Zacharias" not in said


def test_a_step_that_was_edited_is_an_action_item_without_names(folder):
    """What review proposes for this night stands in its postmortem too, and blames nobody."""
    story = Story(folder)
    story.opens()
    edit = {"verb": "check", "title": LAG, "before": "limit = 5", "after": "limit = 9"}
    story.timeline.append(Changed(at=story.at, run=RUN, by="alice", **edit))
    story.checks(LAG, Verdict.FAIL, 9.4, "s")
    story.tell(Noted, text="alice raised the limit.", runbook=True)
    items = drafted(story.timeline).partition("## Action items")[2]

    assert "Take the change into the runbook" in items
    assert "responder raised the limit." in items
