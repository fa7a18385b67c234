"""Cards say in two seconds what one event means, on any screen, and never run anything."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest

from runbook_nb.incident.cards import Card, line, style
from runbook_nb.timeline.events import (
    EVENTS,
    Acted,
    Acting,
    Alert,
    Alerted,
    Approved,
    Asked,
    Changed,
    Classified,
    Cleared,
    Closed,
    ClosingStatement,
    Decided,
    Ended,
    FollowUp,
    Noted,
    Opened,
    Option,
    Outcome,
    Reported,
    Sending,
    Settled,
    Settlement,
    Started,
    Stopped,
    Undone,
    Verdict,
    Verified,
)
from story import ACTION, RESTART, START, UNBUFFER, Elements, checked, evidence

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\x1b[31m\x00\u202egnp\r'
RANKED = (Option(heading=RESTART, failed=("Lag",)), Option(heading=UNBUFFER))


def every_event(text="ordinary", rows=None):
    """Return one event of each kind, with ``text`` in each place that takes words."""
    alert = Alert(name=text, fingerprint=text, summary=text, description=text, labels={text: text})
    read = evidence(rows or text, detail=[{text: text}], asked=(text,), source=text, reason=text)
    act = dict.fromkeys(("title", "call", "option", "because", "risk", "undo"), text)
    at = {"at": START, "by": text, "run": text}
    place = {"runbook": text, "environment": text}
    limits = {"title": text, "verdict": Verdict.UNKNOWN, "evidence": read, "expect": text}
    digests = {"runbook_digest": text, "parameters": {text: text}, "attended": True}
    repeated = {"readings": 0, "wanted": 2, "took_s": 1.0, "waited": True}
    follow_ups = (FollowUp(text=text, owner=text),)
    stated = ClosingStatement(cause=text, commander=text, users_saw=text, follow_ups=follow_ups)
    return [
        Opened(**at, **place, incident=text, title=text, severity=text, alert=alert),
        Reported(**at, words=text),
        Alerted(**at, alert=alert),
        Cleared(**at, alert=alert),
        Classified(**at, severity=text, before=text, because=text),
        Started(**at, **place, **digests, notebook=text, versions={text: text}),
        checked(**limits, **at, fail=text, if_failed=text, purpose=text, reading=2),
        Decided(**at, option=None, recommended=text, ranked=RANKED, reason=text, try_next=(text,)),
        Approved(
            **at, option=text, text=text, parameters=text, calls={text: text}, expires_at=START
        ),
        Acting(**at, **act, rehearsal={text: [text]}, approved_by=text),
        Sending(**at, title=text, attempt=text, system=text, transaction=text),
        Settled(
            **at,
            title=text,
            attempt=text,
            outcome=Settlement.NOT_DONE,
            call=text,
            evidence=text,
            because=text,
        ),
        Acted(**at, **act, outcome=Outcome.FAILED, rehearsal=[text], result=text, reason=text),
        Verified(**at, **limits, **repeated),
        Undone(**at, title=text, outcome=Outcome.FAILED, call=text, result=text, reason=text),
        Asked(**at, question=text, owner=text, answer=text),
        Changed(**at, verb=text, title=text, before="", after=text),
        Noted(**at, text=text),
        Stopped(**at, reason=text),
        Ended(**at, runbook=text, complete=False, reason=text),
        Closed(**at, resolution=text, statement=stated),
    ]


def html(event):
    return Card(event)._repr_mimebundle_()["text/html"]


def test_a_failed_check_reads_in_two_seconds():
    """Verdict, value against expectation, and the next step stand on the card."""
    text = repr(Card(checked()))

    assert "✗ FAIL  Heartbeat lag p95 over 15 minutes" in text
    assert "9.4 s, expected at most 5 s" in text
    assert f"Next: {RESTART}" in text
    assert 'href="#Option-A:-Restart-the-agent"' in html(checked())


def test_a_line_says_an_event_for_a_terminal():
    """One line has the time, the word, and the reading against its expectation."""
    event = checked(title="Heartbeat lag p95")

    assert line(event) == "18:04:05Z  FAIL  Heartbeat lag p95: 9.4 s, expected at most 5 s"


def test_a_passed_check_names_no_next_step():
    """Nothing follows from what is well."""
    assert "Next:" not in repr(Card(checked(verdict=Verdict.PASS, evidence=evidence(0.4, "s"))))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([{"machine": "8fd1", "state": "started"}], "value: machine: 8fd1, state: started"),
        ({"rows": 3, "ids": [1, 2]}, "value: rows: 3, ids: [1, 2]"),
        ([4, None], "value: 4; none"),
        ([], "value: none"),
        ({}, "value: none"),
    ],
)
def test_a_value_inside_a_table_is_said_in_words(value, shown):
    """Who reads a rehearsal at night reads no JSON."""
    card = Card(checked(evidence=evidence(1, "s", detail={"would restart": value})))

    assert f"name: would restart, {shown}" in repr(card)


def test_an_unknown_check_says_why():
    """No reading, no opinion: the reason takes the place of a value."""
    event = checked(verdict=Verdict.UNKNOWN, evidence=evidence(None, "s", reason="No answer."))

    assert "? UNKNOWN" in repr(Card(event))
    assert "No reading, expected at most 5 s" in repr(Card(event))
    assert line(event).endswith("(No answer.)")


@pytest.mark.parametrize(
    ("answer", "unit", "shown"),
    [
        (9.4012, "s", "9.4 s"),
        (5.0004, "s", "5.0004 s"),
        (4.9996, "s", "4.9996 s"),
        (8.0000001, "s", "8.0000001 s"),
        (1234567, "rows", "1,234,567 rows"),
        (12345.678, "ms", "12,346 ms"),
        (0.000012345, "s", "1.23e-05 s"),
        (True, "", "yes"),
        ([], "", "no rows"),
        ([{}] * 200 + ["[cut: 5,000 rows in all]"], "", "5,000 rows"),
    ],
)
def test_a_value_is_rounded_but_never_across_a_limit(answer, unit, shown):
    """A reader must not see 5 s fail a limit of at most 5 s."""
    assert f"{shown}, expected at most 5 s" in repr(Card(checked(evidence=evidence(answer, unit))))


def test_an_old_reading_says_its_age():
    """A verdict on an old reading is an old verdict."""
    event = checked(at=START + timedelta(seconds=90), evidence=evidence(9.4, "s", read_at=START))

    assert "1 min 30 s old when judged" in repr(Card(event))


def test_a_decision_shows_what_was_rejected_and_why():
    """The option not taken is half of a decision."""
    event = Decided(
        at=START, option=UNBUFFER, recommended=RESTART, ranked=RANKED, reason="The edge changed."
    )

    assert "Why: The edge changed." in repr(Card(event))
    assert f"Rejected: {RESTART} (recommended). Lag failed." in repr(Card(event))


def test_a_decision_without_a_failed_check_points_on():
    """Nothing to fix here: the related runbooks come next."""
    event = Decided(
        at=START, option=None, recommended=None, verdict=Verdict.PASS, try_next=("db-slow",)
    )

    assert "✓ DECIDED  Nothing to fix here" in repr(Card(event))
    assert "Try next: db-slow" in repr(Card(event))


def test_nothing_to_fix_is_not_green_when_something_was_not_read():
    """Unknown is never shown as well."""
    event = Decided(at=START, option=None, recommended=None, verdict=Verdict.UNKNOWN)

    assert "? DECIDED  No check failed, but not everything could be read" in repr(Card(event))


def test_an_action_shows_its_rehearsal_before_it_is_confirmed():
    """Call, risk, undo and what it would change are seen before the question."""
    text = repr(Card(Acting(at=START, **ACTION)))

    assert "agent.restart(machine='all')" in text
    assert "Risk: Tool calls in flight are cut" in text
    assert "name: sessions, value: 8" in text
    assert "<details open><summary>Rehearsal" in html(Acting(at=START, **ACTION))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_done_action_is_green(outcome):
    """Nothing that did not happen looks done."""
    event = Acted(at=START, outcome=outcome, **ACTION)

    assert ("rb-pass" in html(event).partition("</style>")[2]) is (outcome is Outcome.DONE)
    assert outcome.replace("_", " ").upper() in repr(Card(event))


def test_an_unanswered_question_is_open():
    """A manual step that nobody did is not hidden."""
    assert "OPEN" in repr(Card(Asked(at=START, question="Call them.", owner="Lead")))


def test_an_edit_shows_what_was_changed():
    """The lines before and after, as a reviewer of code reads them."""
    event = Changed(at=START, verb="check", title="Lag", before="a\nb", after="a\nc", by="sam")

    assert "! CHANGED  Lag" in repr(Card(event))
    assert "    - b\n    + c" in repr(Card(event))


def test_a_card_says_production_and_an_edited_cell_in_words():
    """Neither depends on a colour."""
    card = Card(checked(), production="eu-1", changed=True)
    page = card._repr_mimebundle_()["text/html"]

    assert repr(card).startswith("PRODUCTION: eu-1\n")
    assert "PRODUCTION</b> eu-1" in page
    assert "Changed: this cell is not the runbook&#x27;s" in page
    assert "Changed: this cell is not the runbook's" in repr(card)


def test_every_kind_of_event_has_a_card_of_its_own():
    """No event falls back to its bare name."""
    kinds = {type(event) for event in every_event()}

    assert kinds == set(EVENTS)
    assert all(
        "ordinary" in line(event) or "checks" in repr(Card(event)) or event.kind == "decided"
        for event in every_event()
    )


@pytest.mark.parametrize("event", every_event(HOSTILE), ids=lambda event: event.kind)
def test_hostile_words_stay_words(event):
    """No text becomes markup, a control character, or a second line."""
    page = Elements(html(event))

    assert not page.runs_something()
    assert "img" not in page.tags
    assert page.open == []
    assert not re.search("[\x00\x1b\r\u202e]", html(event) + repr(Card(event)) + line(event))
    assert "\n" not in line(event)


@pytest.mark.parametrize("event", every_event("long " * 1_000_000), ids=lambda event: event.kind)
def test_five_megabytes_of_words_make_a_small_card(event):
    """A card is for looking at; the timeline holds the rest."""
    assert len(html(event)) < 40_000
    assert len(line(event)) < 1_500


def test_a_typical_card_is_small():
    """A notebook of thirty cards stays light."""
    assert len(html(checked())) < 4096


def test_a_card_is_a_named_group_without_script():
    """A screen reader hears verdict and title first."""
    page = html(checked())

    assert 'role="group" aria-label="FAIL: Heartbeat lag p95 over 15 minutes"' in page
    assert "<script" not in page


def test_all_colours_of_cards_have_contrast():
    """WCAG AA asks for 4.5 to 1, in the light and in the dark."""
    inks = re.findall(r"(?:--c|[^-]color):light-dark\((#\w+),(#\w+)\)", style())
    papers = re.search(r"background:light-dark\((#\w+),(#\w+)\)", style())

    assert len(inks) >= 7
    assert all(contrast(light, papers[1]) >= 4.5 for light, _ in inks)
    assert all(contrast(dark, papers[2]) >= 4.5 for _, dark in inks)


def test_cards_import_without_the_notebook_libraries():
    """A kernel shows its first card at once."""
    loaded = (
        "import sys, runbook_nb.incident.cards\n"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    said = subprocess.run(  # the state of a fresh interpreter
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stdout

    assert not {"pydantic", "IPython", "nbformat", "nh3", "jinja2"} & set(re.findall(r"\w+", said))


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2 defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    """Return the relative luminance of a colour as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
