"""The policy of an organisation: read as it is written, and wrong in one clear sentence."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.policy import Policy, policy_for, policy_or_default, read_policy
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import SeverityTerms

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SHOP = """
review_days = 60

[[severity]]
name = "P1"
means = "Nobody can buy."
update_every_min = 5
escalate_after_min = 10
review_days = 7

[[severity]]
name = "P4"
planned = true

[channels]
updates = "the bridge"
closing = "#closed"

[escalation]
next_level = ["Duty Manager"]

[[group]]
name = "Checkout"

[[group.runbook]]
name = "carts_stuck"
scenario = "Carts do not move."
"""


@pytest.fixture
def written(write_file):
    """Write an organisation.toml and return its folder."""
    return lambda text: write_file("organisation.toml", text).parent


def test_a_policy_is_read_as_it_is_written(written):
    """Severities worst first, with their clocks, and who is told and called."""
    policy = read_policy(written(SHOP))

    assert policy.severity_names == ("P1", "P4")
    assert policy.severity("P1").update_every == timedelta(minutes=5)
    assert policy.severity("P4").planned
    assert [policy.review_period(name) for name in ("P1", "P4", "SEV1")] == [7, 60, 60]
    assert policy.groups == ("Checkout",)
    assert [(each.name, each.group) for each in policy.planned] == [("carts_stuck", "Checkout")]
    assert (policy.update_channel, policy.closing_channel) == ("the bridge", "#closed")


def test_the_terms_of_an_incident_are_seconds_and_name_who_is_next(written):
    """As they stand on the timeline."""
    terms = read_policy(written(SHOP)).terms

    assert terms.severities == (
        SeverityTerms(name="P1", update_every_s=300, escalate_after_s=600),
        SeverityTerms(name="P4"),
    )
    assert (terms.next_level, terms.closing_channel) == (("Duty Manager",), "#closed")


def test_a_folder_without_a_policy_names_nobody(tmp_path):
    """It has severities, and no group, plan, clock, channel or role."""
    policy = read_policy(tmp_path)

    assert policy == Policy()
    assert policy.severity_names == ("SEV1", "SEV2", "SEV3", "SEV4", "Maintenance")
    assert (policy.groups, policy.planned, policy.next_level) == ((), (), ())
    assert policy.terms.of("SEV1") == SeverityTerms(name="SEV1")
    assert {policy.review_period(name) for name in policy.severity_names} == {90}


def test_a_policy_without_severities_keeps_the_usual_ones(written):
    """Whoever only names groups decides nothing about severities."""
    policy = read_policy(written("review_days = 30\n"))

    assert policy.severity_names == Policy().severity_names
    assert policy.review_period("SEV2") == 30


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("= 5", '= "soon"', "severity 1, `update_every_min`: it is 'soon'; write a number above 0"),
        ("= 10", "= nan", "`escalate_after_min`: it is nan; write a number"),
        ("= 7", "= 7.5", "severity 1, `review_days`: it is 7.5; write a whole number."),
        ("= 60", "= true", "`review_days`: it is True; write a number above 0"),
        ("means", "meens", "severity 1, `meens`: nobody reads it. Did you mean 'means'?"),
        ('"P4"', '"P1"', "`severity`: 'P1' is named twice; take one of them out."),
        ('name = "P4"', "", "severity 2, `name`: it is missing; write it in quotes."),
        ("= true", '= "yes"', "severity 2, `planned`: it is 'yes'; write true or false."),
        ('["Duty Manager"]', '"Duty Manager"', "escalation, `next_level`: it is 'Duty Manager'"),
        ('name = "carts_stuck"', "", "group 1, runbook 1, `name`: it is missing"),
        ("[[group]]", "[group]", "`group`: it is no list of tables; write [[group]] above each."),
        ("[[group]]", "[[group]", "cannot be read as TOML"),
    ],
)
def test_a_wrong_file_is_one_clear_sentence(written, right, wrong, says):
    """File, key, and what to write."""
    assert right in SHOP
    folder = written(SHOP.replace(right, wrong, 1))

    with pytest.raises(ParameterError, match=re.escape(says)) as caught:
        read_policy(folder)
    assert str(caught.value).startswith(str(folder / "organisation.toml"))
    assert "\n" not in str(caught.value).rstrip()


def test_an_alert_does_not_wait_for_a_wrong_file(written):
    """The defaults hold, and the incident says why."""
    policy = policy_or_default(written("[[severity]"))

    assert policy.severity_names == Policy().severity_names
    assert "organisation.toml cannot be read" in policy.terms.problem


def test_a_retired_runbook_goes_by_the_policy_of_the_live_ones(written):
    """It stands one folder below them."""
    folder = written(SHOP)
    archived = folder / "archived"
    archived.mkdir()
    for place in (folder, archived):
        runbook = Runbook.read(NOTEBOOKS / "incident_response.ipynb")
        path = place / "incident_response.ipynb"
        path.write_text(runbook.path.read_text(encoding="utf-8"), encoding="utf-8")
        assert policy_for(Runbook.read(path)).groups == ("Checkout",)


def test_the_shipped_policy_is_the_platforms_incident_process():
    """Nineteen runbooks in six groups; a SEV1 goes on after 30 minutes, a SEV2 after an hour."""
    policy = read_policy(NOTEBOOKS)

    assert (len(policy.planned), len(policy.groups)) == (19, 6)
    after = {each.name: each.escalate_after_s for each in policy.terms.severities}
    assert (after["SEV1"], after["SEV2"], after["SEV3"]) == (1800, 3600, None)
    every = {each.update_every_s for each in policy.terms.severities if each.name != "Maintenance"}
    assert every == {900}
    assert (policy.review_period("SEV1"), policy.review_period("SEV2")) == (30, 90)
