"""Which option the checks speak for: the most failed ones, and between equals the earlier check."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runbook_nb.incident.recommend import own_checks, rank, recommend
from runbook_nb.timeline.events import Checked, Evidence, Verdict

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HEADINGS = ("A", "B", "C")


def read(told):
    """Return readings, in their order, of ``title verdict option``."""
    evidence = Evidence(question="?", read_at=NOW)
    return [
        Checked(
            at=NOW,
            title=title,
            verdict=Verdict(verdict),
            if_failed=option,
            expect="at most 5 s",
            evidence=evidence,
        )
        for title, verdict, option in (each.split() for each in told)
    ]


@pytest.mark.parametrize(
    ("told", "order"),
    [
        (["one fail B", "two fail A"], "BAC"),
        (["one fail C", "two fail B", "three fail A"], "CBA"),
        (["one fail A", "two fail B"], "ABC"),
        (["one fail A", "two fail C", "three fail C"], "CAB"),
        (["one fail C", "two fail A", "three fail A", "four fail C"], "CAB"),
        (["one warn B", "two pass A"], "ABC"),
        # The newest reading counts, in the place of the first one.
        (["one fail B", "two fail A", "one pass B"], "ABC"),
        (["one pass B", "two fail A", "one fail B"], "BAC"),
    ],
)
def test_a_tie_goes_to_the_earlier_check(told, order):
    """And not to the option that stands first; one that no failed check names stands at the end."""
    assert "".join(option.heading for option in rank(HEADINGS, read(told))) == order


def test_without_a_failed_check_nothing_is_recommended():
    """Though one warns."""
    assert recommend(rank(HEADINGS, read(["one warn B", "two pass A"]))) is None
    assert recommend(rank(HEADINGS, read(["one warn B", "two fail C"]))) == "C"


def test_what_another_environment_or_another_runbook_read_speaks_for_nothing_here(night):
    """In one incident, staging may fail where production is well."""
    night.incident()
    night.starts("run-0", environment="staging")
    night.starts("run-2")
    night.starts("run-3", runbook="another")
    for run in ("run-0", "run-1", "run-2", "run-3"):
        [reading] = read(["Lag fail A"])
        night.timeline.append(replace(reading, run=run))
    told = {"run": "run-1", "environment": "trial"}
    found = own_checks(night.timeline, night.runbook, **told)

    assert [checked.run for checked in found] == ["run-1", "run-2"]
