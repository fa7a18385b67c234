"""Incidents become proposed edits, which stay open until somebody has dealt with them."""

import json

import pytest

from runbook_nb.authoring.maintenance import Review
from runbook_nb.authoring.maintenance.report import proposal_lines
from runbook_nb.errors import IncidentStateError
from runbook_nb.probes.calls import Probe
from runbook_nb.probes.limits import at_most
from runbook_nb.record.facts.remarks import RemarkKind
from runbook_nb.testing import scripted_probe
from runbook_nb.timeline.events import Asked, Closed, Decided, Noted


@pytest.fixture
def review(night):
    """Read the review of the night's incidents anew."""
    return lambda **more: Review(
        incidents=night.folder / "incidents", folder=night.folder, now=night.clock.now, **more
    )


def checked(incident, title: str, probe: Probe) -> None:
    incident.check(title, probe, expect=at_most(5), if_failed="Option A: Restart")


def opened(night, **more):
    """Open the incident as the second cell of a runbook does."""
    from runbook_nb.timeline.events import Started

    incident = night.incident(**more)
    night.timeline.append(
        Started(
            at=night.clock.now(),
            run="run-1",
            by="sam",
            runbook="trial",
            runbook_digest=night.runbook.digest,
            environment="trial",
            parameters={},
            attended=bool(more.get("attended")),
        )
    )
    runs = night.folder / "incidents" / "INC-1" / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "run-1.ipynb").write_text(night.runbook.path.read_text())
    return incident


def close(night, resolution: str = "") -> None:
    night.timeline.append(Closed(at=night.clock.now(), by="sam", resolution=resolution))


def test_a_changed_step_comes_back_as_a_proposal_with_its_difference(night, review):
    """What served at night is offered to the author, line by line; run twice, it is told once."""
    incident = opened(night, attended=True)
    night.cell = "incident.check('Lag', p.ask(), expect=at_most(20))"
    checked(incident, "Lag", scripted_probe(1))
    checked(incident, "Lag", scripted_probe(1))

    (proposal,) = review().open()
    assert (proposal.kind, proposal.step) == (RemarkKind.CHANGED, "Lag")
    (difference,) = proposal.facts()["differences"]
    assert difference == (
        "- incident.check('Lag', p.ask())\n+ incident.check('Lag', p.ask(), expect=at_most(20))"
    )
    assert f"      {difference.splitlines()[1]}" in list(proposal_lines(proposal, review()))


def test_notes_for_the_runbook_become_proposals(night, review):
    """Other notes do not."""
    incident = opened(night)
    incident.note("Say which queue.", runbook=True)
    incident.note("Coffee.")

    (found,) = review().open()

    assert (found.kind, found.runbook, found.incidents) == (RemarkKind.NOTE, "trial", ("INC-1",))
    assert found.sightings[0].said == "Say which queue."


def test_a_check_that_stayed_unknown_is_proposed_with_its_reason(night, review):
    """One that was read in the end is not."""
    incident = opened(night)
    checked(incident, "Lag", scripted_probe(TimeoutError("no answer")))
    checked(incident, "Load", scripted_probe(TimeoutError("no answer")))
    checked(incident, "Load", scripted_probe(3))

    (found,) = review().open()

    assert (found.kind, found.step) == (RemarkKind.UNKNOWN, "Lag")
    assert "no answer" in found.sightings[0].said


def test_a_recommendation_that_was_overridden_is_proposed(night, review):
    """With what was chosen instead, and why."""
    opened(night)
    night.timeline.append(
        Decided(
            at=night.clock.now(),
            run="run-1",
            by="sam",
            option="Option B: Scale out",
            recommended="Option A: Restart",
            reason="A restart lost work last time.",
        )
    )

    (found,) = review().open()

    assert found.kind is RemarkKind.OVERRIDDEN
    assert found.step == "Option A: Restart"
    assert "A restart lost work last time." in found.sightings[0].said


def test_what_was_left_out_by_hand_is_proposed_after_the_close(night, review):
    """Checks that never ran; while the incident is open they may still come."""
    incident = opened(night, attended=True)
    checked(incident, "Lag", scripted_probe(3))

    assert review().open() == []
    close(night)
    (found,) = review().open()
    assert (found.kind, found.step) == (RemarkKind.SKIPPED, "Load")


def test_a_manual_step_that_nobody_answered_is_proposed(night, review):
    """Also after a run by command."""
    opened(night)
    asked = Asked(at=night.clock.now(), run="run-1", by="sam", question="Post it.", owner="Ops")
    night.timeline.append(asked)
    close(night)

    assert [(found.kind, found.step) for found in review().open()] == [
        (RemarkKind.SKIPPED, "Post it.")
    ]


def test_drills_are_no_nights_to_learn_from(night, review):
    """Unless asked for."""
    opened(night).note("Say which queue.", runbook=True)
    close(night, resolution="drill")

    assert review().open() == []
    assert len(review(drills=True).open()) == 1


def test_an_unchanged_runbook_needs_a_why(night, review):
    """And the why is kept with who said it."""
    opened(night).note("Say which queue.", runbook=True)
    (found,) = review().open()

    with pytest.raises(IncidentStateError, match="say why not"):
        review().close(found.id, by="alex")
    review().close(found.id, by="alex", why="There is only one.")

    assert review().open() == []
    assert review().dealt[found.id].why == "There is only one."
    assert json.loads((night.folder / "incidents" / ".review.json").read_text())[found.id]


def test_a_runbook_that_changed_needs_none(night, review):
    """Its body: a validation, which renews header and log, is no edit."""
    opened(night).note("Say which queue.", runbook=True)
    path = night.runbook.path
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = "# Trial — validated today"
    path.write_text(json.dumps(notebook))
    assert not review().open()[0].changed

    notebook["cells"][2]["source"] = "## Diagnosis\n\nLook at the export queue."
    path.write_text(json.dumps(notebook))
    (found,) = review().open()

    assert found.changed
    assert review().close(found.id, by="alex").why == "The runbook was changed."
    assert review().open() == []


def test_the_same_step_in_the_next_incident_opens_it_again(night, review, tmp_path):
    """A why given for one night does not hold for all."""
    checked(opened(night), "Lag", scripted_probe(TimeoutError("no answer")))
    (found,) = review().open()
    review().close(found.id, by="alex", why="The network was down.")
    folder = night.folder / "incidents"
    (folder / "INC-2").mkdir()
    text = (folder / "INC-1" / "timeline.jsonl").read_text()
    (folder / "INC-2" / "timeline.jsonl").write_text(text)

    (again,) = review().open()

    assert (again.id, again.incidents) == (found.id, ("INC-1", "INC-2"))


def test_a_wrong_id_is_told_the_near_one(night, review):
    """Nothing is written."""
    opened(night).note("Say which queue.", runbook=True)

    with pytest.raises(IncidentStateError, match="No proposed edit"):
        review().close("R-000000", by="alex", why="x")


def test_a_broken_review_file_is_one_clear_error(night, review):
    """What was decided is not thrown away."""
    opened(night)
    (night.folder / "incidents" / ".review.json").write_text("[]")

    with pytest.raises(IncidentStateError, match=r"\.review\.json"):
        review()


def test_notes_without_a_run_belong_to_the_incidents_runbook(night, review):
    """Somebody added them later."""
    opened(night)
    night.timeline.append(Noted(at=night.clock.now(), by="sam", text="Shorter.", runbook=True))

    assert review().open()[0].runbook == "trial"
