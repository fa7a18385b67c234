"""Words that led to a runbook are kept as what somebody reported; its name is no symptom."""

from runbook_nb.cli.show import catalogue
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.by_hand import Unclear, by_words, prepare
from runbook_nb.timeline.events import Reported
from runbook_nb.timeline.incidents import find

WORDS = "heartbeat of the streams is silent"


def chosen(words):
    found = by_words(words, catalogue(), summaries={})
    return found.chosen(1) if isinstance(found, Unclear) else found


def test_a_symptom_is_kept_and_a_name_is_none():
    """Also where a person chose among several."""
    assert chosen(WORDS).symptom == WORDS
    assert chosen("heartbeat_failure_recovery").symptom == ""


def test_a_working_copy_is_opened_with_the_words_on_the_timeline(tmp_path):
    """Before its first cell has run."""
    book = Runbook.find("heartbeat_failure_recovery")
    opened = prepare(
        book, incidents=tmp_path, incident=None, parameters={}, by="sam", reported=WORDS
    )

    assert find(tmp_path, opened.incident).last(Reported).words == WORDS
