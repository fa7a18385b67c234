"""Who acts, on any machine."""

import os
import subprocess
import sys

import pytest

from runbook_nb.incident.context import actor, user_name

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
