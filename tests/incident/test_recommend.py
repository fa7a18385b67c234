"""Which option the checks speak for: the most failed ones, and between equals the earlier check."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runbook_nb.incident.ranking import Ranking, rank
from runbook_nb.incident.recommend import because, own_checks, recommend
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


HARM = Ranking(
    first={"C": "a leak goes before everything else", "B": "lost rows go before a restart"},
    shared={"lag": ("B",), "gap": ("B",)},
)
LETTERED = ("Option A: Restart", "Option B: Unlock", "Option C: Close the leak")


def read_lettered(told):
    """Return readings whose options are the lettered ones."""
    named = {heading[7]: heading for heading in LETTERED}
    return [replace(checked, if_failed=named[checked.if_failed]) for checked in read(told)]


@pytest.mark.parametrize(
    ("told", "order"),
    [
        # A leak comes first, however many checks speak for a restart.
        (["health fail A", "lag fail A", "leak fail C"], "CAB"),
        (["health fail A", "lock fail B", "leak fail C"], "CBA"),
        # What both causes fail speaks for the one that has evidence of its own.
        (["lag fail A", "gap fail A", "lock fail B"], "BAC"),
        # Where none has, it speaks for the option that it names.
        (["lag fail A", "gap fail A"], "ABC"),
        # Only a failed check of its own brings an option forward, never a shared one.
        (["lag fail A", "health fail A"], "ABC"),
        (["leak warn C", "lag fail A"], "ABC"),
    ],
)
def test_harm_goes_first_and_then_what_only_one_cause_explains(told, order):
    """Not the number of failed checks."""
    ranked = rank(LETTERED, read_lettered(told), HARM)
    assert "".join(option.heading[7] for option in ranked) == order


def test_two_causes_at_once_are_both_named_in_their_order():
    """With the reason why one comes first."""
    checks = read_lettered(["health fail A", "lag fail A", "leak fail C"])
    said = because(rank(LETTERED, checks, HARM), checks, [])

    assert said.startswith("Failed: leak. It comes first: a leak goes before everything else.")
    assert "'Option A: Restart' is still called for by health, lag" in said


def test_a_check_that_others_explain_too_does_not_speak_against_them():
    """The restart has nothing left that is its own."""
    ranked = rank(LETTERED, read_lettered(["lag fail A", "gap fail A", "lock fail B"]), HARM)
    assert ranked[0].failed == ("lock", "lag", "gap")
    assert ranked[1].failed == ()


@pytest.mark.parametrize("front", [{}, {"ranking": 3}, {"ranking": {"first": 1, "shared": "x"}}])
def test_a_ranking_that_says_nothing_changes_nothing(front):
    """An odd front matter must not stand in the way of a decision."""
    assert Ranking.of(front) == Ranking()
