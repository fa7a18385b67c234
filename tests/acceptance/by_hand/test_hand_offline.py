"""The night when nothing answers: the notebook opens, and every step of it can be read."""

from collections.abc import Iterator

import pytest

from conftest import Desk, until

pytestmark = pytest.mark.slow

SETTINGS = """
[environments.far]
kind = "staging"
[environments.far.database]
reader = "env:FAR_DATABASE"
[environments.far.partner]
token = "env:TRIAL_TOKEN"
"""


@pytest.fixture(scope="module")
def stranded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give a desk on a machine where no lab can start, with settings of a platform that is gone."""
    folder = tmp_path_factory.mktemp("stranded")
    (folder / "runbook.toml").write_text(SETTINGS, encoding="utf-8")
    gone = "postgresql://reader@127.0.0.1:1/platform"
    desk = Desk(folder, RUNBOOK_LAB="/dev/null/lab", FAR_DATABASE=gone)
    yield desk
    desk.end()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [("lab", "Start the lab with `runbook lab up`"), ("far", "Connection refused")],
)
def test_without_any_system_every_check_is_unknown_and_every_step_is_there(
    stranded, tab, environment, reason
):
    """A tired person can still read what to do, say what they know, and close with a record."""
    incident = f"INC-{environment}"
    place = ["--incident", incident, "-p", f"environment={environment}"]
    here = tab()
    here.open(stranded.address("dead_sessions", *place))
    here.run_all()
    here.answer("", to="Press Enter to choose none or A for another option")
    until(lambda: stranded.kinds(incident).count("verified") == 2)

    cards = here.page.locator(".jp-Notebook .rb-card.rb-unknown")
    assert reason in cards.first.inner_text()
    assert [event for event in stranded.events(incident) if event.get("outcome") == "done"] == []
    here.board_says("2 unknown")
    assert here.page.locator(".jp-Notebook h3:has-text('Option A: End them')").is_visible()
    assert f"{incident} is closed" in stranded("close", incident)


def test_it_says_that_the_lab_did_not_start(stranded):
    """A warning before, and not an error instead."""
    told = stranded("open", "dead_sessions", "--incident", "INC-7", "--no-start")

    assert "The lab did not start" in told
    assert "Checks will be unknown until it runs" in told
    assert stranded.copy("INC-7").is_file()
