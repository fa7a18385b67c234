"""Words that led to a runbook are kept as what somebody reported; its name is no symptom."""

import pytest

from runbook_nb.cli.show import catalogue
from runbook_nb.errors import RunbookNotFoundError
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


def test_what_names_no_part_of_the_platform_leads_to_triage_by_its_own_words():
    """A partner that is down is not the site."""
    found = by_words("site is down", catalogue(), summaries={}, triage="incident_response")

    assert (found.runbook.name, found.symptom) == ("incident_response", "site is down")


@pytest.mark.parametrize("words", ["the coffee machine leaks", "asdf qwer"])
def test_words_that_fit_nothing_clearly_lead_to_triage(words):
    """And it is said, with what came close."""
    found = by_words(words, catalogue(), summaries={}, triage="incident_response")

    assert found.runbook.name == "incident_response"
    assert found.why == f"nothing fits {words!r} clearly, so it begins with triage."
    assert found.symptom == words
    assert "incident_response" not in [hit.entry.name for hit in found.others]


def test_words_that_fit_clearly_do_not():
    """Nor does a name that was typed wrongly, which opens nothing."""
    clear = by_words(
        "users see rows of others", catalogue(), summaries={}, triage="incident_response"
    )
    assert clear.runbook.name == "rls_policy_debugging"
    with pytest.raises(RunbookNotFoundError):
        by_words("asdf_qwer", catalogue(), summaries={}, triage="incident_response")
    with pytest.raises(RunbookNotFoundError):
        by_words("asdf qwer", catalogue(), summaries={}, triage="none_such")
