"""The index: what exists, how fresh it is, and what nobody has written."""

from datetime import date
from pathlib import Path

import pytest

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog import EntryState
from runbook_nb.runbook.catalog.freshness import Freshness
from runbook_nb.runbook.catalog.listing import index_lines
from runbook_nb.runbook.catalog.readme import BEGIN, END, index, with_index
from runbook_nb.runbook.policy import read_policy

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


def test_all_planned_are_listed_and_most_are_not_written_yet(shelf, entries):
    """Group by group, as the policy lists them."""
    found, policy = entries(), read_policy(shelf)

    assert tuple(entry.name for entry in found) == policy.planned_names
    assert sum(entry.state is EntryState.LIVE for entry in found) == 3
    assert sum(entry.state is EntryState.UNWRITTEN for entry in found) == 16
    assert list(dict.fromkeys(entry.group for entry in found)) == list(policy.groups)


def test_without_a_policy_there_is_what_there_is(shelf, entries):
    """Nothing is planned; groups are those that the runbooks name, in the order of their names."""
    (shelf / "organisation.toml").unlink()
    found = entries()

    assert {entry.state for entry in found} == {EntryState.LIVE}
    assert [entry.group for entry in found] == sorted(entry.group for entry in found)
    assert {entry.freshness.period for entry in found} == {90}
    assert index(found).startswith("Runbooks that are written: 3; drills have proven 3")


def test_another_organisation_has_its_own_groups_plans_and_periods(shelf, entries):
    """What it plans stands first, and what its policy does not know last."""
    (shelf / "organisation.toml").write_text(
        "review_days = 10\n"
        '[[severity]]\nname = "SEV1"\nreview_days = 400\n'
        '[[group]]\nname = "Checkout"\n'
        '[[group.runbook]]\nname = "carts_stuck"\nscenario = "Carts do not move."\n'
        '[[group]]\nname = "Data & Storage"\n'
    )
    found = entries()

    assert [entry.name for entry in found][:2] == ["carts_stuck", "supabase_backup_restore"]
    assert [entry.freshness.period for entry in found] == [10, 400, 10, 10]
    assert index(found).startswith("Of 1 planned runbooks, 0 are written; drills have proven 3")


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
    period = read_policy(NOTEBOOKS).review_period(severity)
    found = Freshness.of(said, period=period, today=date(2026, 11, 23))

    assert (found.said, found.is_due) == (words, due)


def test_a_runbook_that_cannot_be_read_is_listed_as_that(shelf, entries):
    """One broken file does not hide the others."""
    (shelf / "incident_response.ipynb").write_text("{")

    broken = next(entry for entry in entries() if entry.name == "incident_response")

    assert broken.state is EntryState.UNREADABLE
    assert "incident_response.ipynb" in broken.problem
    assert any("cannot be read" in line for line in index_lines(entries()))


def test_a_retired_runbook_is_listed_with_what_stands_in_its_place(put, entries):
    """Not as missing, and not as live."""
    put("inspection_timeout", archived=True, retired={"superseded_by": "rollback_procedure"})

    found = next(entry for entry in entries() if entry.name == "inspection_timeout")

    assert (found.state, found.superseded_by) == (EntryState.RETIRED, "rollback_procedure")


def test_the_readme_gets_its_index_between_the_marks_and_only_there(entries):
    """Twice is as once."""
    text = f"# A\n\n{BEGIN}\nold\n{END}\n\nrest\n"

    once = with_index(text, entries())

    assert once.startswith(f"# A\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nrest\n")
    assert "old" not in once
    assert "Of 19 planned runbooks, 3 are written" in once
    assert "| inspection_timeout |" in once
    assert once.count("not written yet") == 16
    assert with_index(once, entries()) == once


def test_a_readme_without_marks_is_refused(entries):
    """Nothing is written at a guess."""
    with pytest.raises(RunbookFormatError, match="no place for the index"):
        with_index("# A\n", entries())
