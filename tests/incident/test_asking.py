"""A question that waits is known to others for as long as its kernel lives."""

import json
import subprocess
import sys

import pytest

from runbook_nb.incident.asking import announced, asked_at


def test_a_question_is_known_while_it_waits_and_no_longer(tmp_path):
    """Also where the answer is an interrupt."""
    place = tmp_path / "asked" / "INC-1-heartbeat.json"
    seen = []

    def ask(text):
        seen.append(asked_at(place))
        if text == "Interrupt?":
            raise KeyboardInterrupt
        return "do"

    asks = announced(ask, place=place, by="sam")
    assert asks("Restart?") == "do"
    with pytest.raises(KeyboardInterrupt):
        asks("Interrupt?")

    assert [(each.text, each.by) for each in seen] == [("Restart?", "sam"), ("Interrupt?", "sam")]
    assert asked_at(place) is None
    assert list(place.parent.iterdir()) == []
    assert place.parent.stat().st_mode & 0o077 == 0


def test_a_question_of_a_process_that_ended_does_not_wait(tmp_path):
    """A killed kernel leaves its file behind."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    place = tmp_path / "asked.json"
    told = {"text": "Restart?", "by": "sam", "since": "2026-01-01T00:00:00+00:00"}
    place.write_text(json.dumps({**told, "process": ended.pid}))

    assert asked_at(place) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"process": "x", "since": 3}'])
def test_what_is_no_question_does_not_wait(tmp_path, text):
    """Whoever wrote it."""
    place = tmp_path / "asked.json"
    place.write_text(text)

    assert asked_at(place) is None


def test_to_be_asked_matters_more_than_that_others_know(tmp_path):
    """Where nothing can be written, the question is put all the same."""
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert announced(lambda _text: "do", place=blocked / "asked.json", by="sam")("?") == "do"
