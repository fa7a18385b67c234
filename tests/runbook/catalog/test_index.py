"""The index: what exists, how fresh it is, and what nobody has written."""

from datetime import date

import pytest

from runbook_nb.authoring.lint.context import PLATFORM
from runbook_nb.authoring.lint.rules.header import GROUPS as LINTED_GROUPS
from runbook_nb.authoring.lint.rules.header import REVIEW_DAYS, REVIEW_DAYS_SEV1
from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog import State
from runbook_nb.runbook.catalog.freshness import Freshness
from runbook_nb.runbook.catalog.listing import index_lines
from runbook_nb.runbook.catalog.platform import GROUPS, KNOWN
from runbook_nb.runbook.catalog.readme import BEGIN, END, with_index


def test_all_nineteen_are_listed_and_most_are_not_written_yet(entries):
    """Group by group, as the platform lists them."""
    found = entries()

    assert [entry.name for entry in found] == [known.name for known in KNOWN]
    assert sum(entry.state is State.LIVE for entry in found) == 3
    assert sum(entry.state is State.UNWRITTEN for entry in found) == 16
    assert list(dict.fromkeys(entry.group for entry in found)) == list(GROUPS)


def test_lint_and_the_catalogue_know_the_same_runbooks_groups_and_periods():
    """Two lists of the same names must not drift apart."""
    assert tuple(known.name for known in KNOWN) == PLATFORM
    assert GROUPS == LINTED_GROUPS
    assert Freshness.of("", severity="SEV1", today=date(2026, 11, 23)).period == REVIEW_DAYS_SEV1
    assert Freshness.of("", severity="SEV2", today=date(2026, 11, 23)).period == REVIEW_DAYS


@pytest.mark.parametrize(
    ("said", "severity", "words", "due"),
    [
        ("2026-11-23", "SEV2", "validated today", False),
        ("2026-08-25", "SEV2", "validated 90 days ago", False),
        ("2026-08-24", "SEV2", "stale: validated 91 days ago", True),
        ("2026-10-23", "SEV1", "stale: validated 31 days ago", True),
        ("2026-11-24", "SEV2", "validated on 2026-11-24, which is yet to come", True),
        ("", "SEV2", "never validated", True),
        ("soon", "SEV2", "never validated", True),
    ],
)
def test_freshness_is_ninety_days_and_thirty_for_the_worst(said, severity, words, due):
    """A date that cannot be true proves nothing."""
    found = Freshness.of(said, severity=severity, today=date(2026, 11, 23))

    assert (found.said, found.is_due) == (words, due)


def test_a_runbook_that_cannot_be_read_is_listed_as_that(shelf, entries):
    """One broken file does not hide the others."""
    (shelf / "incident_response.ipynb").write_text("{")

    broken = next(entry for entry in entries() if entry.name == "incident_response")

    assert broken.state is State.UNREADABLE
    assert "incident_response.ipynb" in broken.problem
    assert any("cannot be read" in line for line in index_lines(entries()))


def test_a_retired_runbook_is_listed_with_what_stands_in_its_place(put, entries):
    """Not as missing, and not as live."""
    put("inspection_timeout", archived=True, retired={"superseded_by": "rollback_procedure"})

    found = next(entry for entry in entries() if entry.name == "inspection_timeout")

    assert (found.state, found.superseded_by) == (State.RETIRED, "rollback_procedure")


def test_the_readme_gets_its_index_between_the_marks_and_only_there(entries):
    """Twice is as once."""
    text = f"# A\n\n{BEGIN}\nold\n{END}\n\nrest\n"

    once = with_index(text, entries())

    assert once.startswith(f"# A\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nrest\n")
    assert "old" not in once
    assert "19 runbooks, 3 are written" in once
    assert "| inspection_timeout |" in once
    assert once.count("not written yet") == 16
    assert with_index(once, entries()) == once


def test_a_readme_without_marks_is_refused(entries):
    """Nothing is written at a guess."""
    with pytest.raises(RunbookFormatError, match="no place for the index"):
        with_index("# A\n", entries())
