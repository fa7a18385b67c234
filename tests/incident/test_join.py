"""An incident keeps the terms that stood beside its runbook when it was opened."""

import pytest

from runbook_nb.incident.context import RunContext
from runbook_nb.incident.join import join
from runbook_nb.timeline.events import Opened, SeverityTerms

SHOP = """
[[severity]]
name = "SEV3"
update_every_min = 5

[escalation]
next_level = ["Duty Manager"]
"""


@pytest.fixture
def opens(night):
    """Open or join the incident by the notebook of the night, and return how it was opened."""

    def join_it() -> Opened:
        context = RunContext(
            incidents=night.folder / "incidents",
            incident="INC-1",
            run="run-1",
            notebook=night.runbook.path,
            actor="sam",
            attended=False,
        )
        return join(context, environment="lab").timeline.last(Opened)

    return join_it


def test_a_later_policy_changes_nothing_of_an_open_incident(night, opens):
    """Whoever joins tomorrow is held to what was agreed when it began."""
    policy = night.folder / "organisation.toml"
    policy.write_text(SHOP)
    opens()
    policy.write_text(SHOP.replace("5", "60"))

    terms = opens().terms
    assert terms.of("SEV3") == SeverityTerms(name="SEV3", update_every_s=300)
    assert terms.next_level == ("Duty Manager",)


def test_an_incident_opens_without_a_policy_and_with_a_broken_one(night, opens):
    """No clock is worth an unanswered alert; the timeline says why there is none."""
    (night.folder / "organisation.toml").write_text("[[severity]")

    terms = opens().terms
    assert terms.of("SEV3") == SeverityTerms(name="SEV3")
    assert "organisation.toml cannot be read as TOML" in terms.problem
