"""`runbook new`: a pair that is sound but for what its author must fill in."""

import json
from pathlib import Path

import pytest
from drafting_kept import NOW

from runbook_nb.authoring.importer import NewRunbook, begin
from runbook_nb.authoring.lint import Severity, lint
from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.pair import out_of_date, write

FILLED = {
    "fill_in.probe(window=minutes(15))": "heartbeats.lag_p95(window=minutes(15))",
    "fill_in.action()": "agent.restart()",
    "import Incident, at_most, minutes, seconds": (
        "import Incident, at_most, minutes, seconds\n"
        "from runbook_nb.packs.control_plane.systems import agent, heartbeats"
    ),
    'because="Fill in: what is read"': 'because="Lag"',
    "Fill in: what is read": "Lag",
    "Option A: Fill in: what it does": "Option A: Restart",
    '"Fill in: what it does"': '"Restart the agent"',
    "- Fill in: the name of a runbook": "- None; the name of a runbook",
}


def begun(runbooks: Path, **said: object) -> Path:
    return begin(NewRunbook(name="slow_cache", **said), folder=runbooks, now=NOW).path


def test_a_new_runbook_lacks_only_what_is_marked(runbooks: Path):
    """Each finding of lint is on a marked line, or a gap that says what to fill in."""
    made = begin(NewRunbook(name="slow_cache"), folder=runbooks, now=NOW)

    kinds = {gap.kind for gap in made.gaps}
    errors = [f for f in lint([], folder=runbooks, now=NOW) if f.severity is Severity.ERROR]
    assert kinds == {"fill-in", "known-call", "escalation"}
    assert {found.rule for found in errors} <= kinds | {"classified", "owner", "filled-in"}
    blanks = {found.path.name for found in errors if found.rule == "filled-in"}
    assert blanks == {"slow_cache.md", "slow_cache.fill_in.json"}
    assert out_of_date(made.path) == []


def test_who_tells_users_is_a_role_of_the_contacts_or_filled_in(runbooks: Path):
    """Another organisation calls its people otherwise, and no draft may make one up."""
    assert 'owner="Communications"' in begun(runbooks).read_text(encoding="utf-8")
    (runbooks / "contacts.toml").write_text('[[role]]\nname = "Shift Lead"\n', encoding="utf-8")

    made = begin(NewRunbook(name="belt_torn"), folder=runbooks, now=NOW)

    assert 'owner="Fill in: who tells users"' in made.path.read_text(encoding="utf-8")
    assert "step-owner" not in {gap.kind for gap in made.gaps}


def test_a_filled_in_runbook_lints_clean(runbooks: Path):
    """What an author changes is all that was missing."""
    path = begun(
        runbooks,
        scenario="The cache is slow.",
        severity="SEV2",
        owner="Runtime Steward",
        group="Execution & Performance",
        fault="agent_dead",
        alerts=("CacheSlow",),
        escalation=("ops-oncall@company.com",),
    )
    for file in (path, *(runbooks / "drills").glob("*.json")):
        text = file.read_text(encoding="utf-8")
        for before, after in FILLED.items():
            text = text.replace(before, after)
        file.write_text(text.replace("Fill in: ", "Known: "), encoding="utf-8")
    write(path)

    errors = [f for f in lint([], folder=runbooks, now=NOW) if f.severity is Severity.ERROR]
    assert errors == []


def test_the_drills_are_a_control_and_a_fault(runbooks: Path):
    """The control finds nothing, the other injects what it is named for and always heals it."""
    begun(runbooks, fault="cache_cold")

    names = sorted(path.name for path in (runbooks / "drills").iterdir())
    assert names == ["slow_cache.cache_cold.json", "slow_cache.none.json"]
    drill = json.loads((runbooks / "drills" / names[0]).read_text(encoding="utf-8"))
    assert drill["rollbacks"][0]["provider"]["arguments"] == {"fault": "cache_cold"}


@pytest.mark.parametrize(
    "name", ["Slow-Cache", "slow cache", "", "_x", "x__y", "../x", "readme", "9"]
)
def test_a_name_that_does_not_fit_is_refused(name: str, runbooks: Path):
    """Nothing is written."""
    with pytest.raises(RunbookFormatError, match="is no name for a runbook"):
        begin(NewRunbook(name=name), folder=runbooks, now=NOW)

    assert {path.name for path in runbooks.iterdir()} == {"contacts.toml", "organisation.toml"}


@pytest.mark.parametrize(
    "taken", ["slow_cache.md", "archived/slow_cache.md", "drills/slow_cache.a.json"]
)
def test_a_name_that_is_taken_is_refused(taken: str, runbooks: Path):
    """A live runbook, an archived one and a drill keep their name."""
    (runbooks / taken).parent.mkdir(exist_ok=True)
    (runbooks / taken).write_text("kept", encoding="utf-8")

    with pytest.raises(RunbookFormatError, match="already"):
        begun(runbooks)

    assert (runbooks / taken).read_text(encoding="utf-8") == "kept"
    assert not (runbooks / "slow_cache.ipynb").exists()
