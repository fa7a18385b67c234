"""Who acts, on any machine."""

import json
import os
import subprocess
import sys

import pytest

from runbook_nb.incident.context import RunContext, actor, user_name
from runbook_nb.testing import environ, runbook_cells

AS_NOBODY_KNOWN = (
    *("setpriv", "--reuid=1000720000", "--regid=0", "--clear-groups"),
    # It may still read this checkout, wherever that is.
    *("--inh-caps=+dac_override,+dac_read_search", "--ambient-caps=+dac_override,+dac_read_search"),
)


def test_the_variable_says_who_acts():
    """A scheduler names whom it acts for."""
    assert actor({"RUNBOOK_ACTOR": "ada"}) == "ada"
    assert actor({}) == user_name()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_is_known_by_its_number():
    """A container runs with a number that is in no list of users."""
    script = "from runbook_nb.incident.context import actor; print(actor({}))"
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ("USER", "LOGNAME", "LNAME", "USERNAME", "HOME")
    }
    done = subprocess.run(
        [*AS_NOBODY_KNOWN, sys.executable, "-c", script],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.strip() == "uid 1000720000", done.stderr


@pytest.mark.parametrize(
    ("told", "name"),
    [(" ada ", "ada"), ("ada\u00a0\u200b", "ada"), ("\u200b", user_name()), (" ", user_name())],
)
def test_a_label_is_shown_without_what_is_not_seen(told, name):
    """`alice ` is no second alice."""
    assert actor({"RUNBOOK_ACTOR": told}) == name


def test_whose_working_copy_it_is_does_not_decide_who_acts(tmp_path):
    """Anybody can write a notebook's metadata; the process says who it acts for."""
    folder = tmp_path / "incidents" / "INC-1"
    (folder / "working").mkdir(parents=True)
    (folder / "timeline.jsonl").write_text("")
    book = runbook_cells()
    book["metadata"]["working_copy"] = {"by": "ceo@company.com"}
    path = folder / "working" / "trial.ipynb"
    path.write_text(json.dumps(book))

    with environ(RUNBOOK_ACTOR="sam"):
        context = RunContext.from_environ(
            {"JPY_SESSION_NAME": str(path)}, incident="", runbook="trial"
        )
    assert (context.notebook, context.actor) == (path, "sam")
