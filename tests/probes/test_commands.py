"""Commands as a system: a bare environment, and an end in time and size."""

import sys
import time
from pathlib import Path

import pytest

from runbook_nb.errors import NoAnswerError, SettingMissingError, WriteRefusedError
from runbook_nb.probes.calls import Probe
from runbook_nb.probes.commands import OUTPUT_LIMIT_BYTES, Commands, bare_variables
from runbook_nb.probes.environment import Environment

STARTS_A_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
with open(sys.argv[1], "w") as file:
    file.write(str(child.pid))
time.sleep(600)
"""


def reads(_words):
    """Everything is known to read."""
    return ""


def command(*, timeout_s=10, asked=None, variables=None):
    return Commands(
        variables=bare_variables() if variables is None else variables,
        read_only=True,
        timeout_s=timeout_s,
        asked=[] if asked is None else asked,
    )


def is_running(process):
    """A process that ended is gone, or a zombie that nobody has buried yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def has_ended(process):
    """Tell whether a process that was killed is gone as soon as the kernel comes to it."""
    deadline = time.monotonic() + 10
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(process)


def test_the_evidence_holds_the_words_and_the_exit_code():
    """As somebody would type them."""
    asked = []

    output = command(asked=asked).run(("printf", "%s", "a b"), writes=reads)

    assert (output.code, output.text) == (0, "a b")
    assert asked[0].startswith("printf %s 'a b' → exit code 0 in ")


def test_what_may_write_is_refused_before_a_process_starts(tmp_path):
    """The rule says why."""
    asked, path = [], tmp_path / "made"

    with pytest.raises(WriteRefusedError, match=r"`touch .*`: it makes a file"):
        command(asked=asked).run(("touch", str(path)), writes=lambda _: "it makes a file")
    assert asked == []
    assert not path.exists()


def test_no_secret_of_ours_reaches_a_command(monkeypatch):
    """Only the few variables that a command needs, and those its setting names."""
    monkeypatch.setenv("WRITER_DSN", "postgresql://writer:correct-horse@h/d")
    monkeypatch.setenv("AWS_PROFILE", "reading")
    environment = Environment(
        "staging",
        {
            "kind": "staging",
            "orders": {"writer": "env:WRITER_DSN"},
            "cluster": {"variables": ["AWS_PROFILE"]},
        },
    )

    printed = environment.reading([]).command("cluster").run(("env",), writes=reads).text

    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "KUBECONFIG", "AWS_PROFILE"}
    assert "AWS_PROFILE" in names
    assert "correct-horse" not in printed


def test_a_setting_cannot_hand_over_the_secret_of_another_system():
    """Nor one that writes."""
    settings = {
        "kind": "staging",
        "orders": {"reader": "env:ORDERS", "writer": "env:ORDERS_WRITER"},
        "cluster": {"variables": ["ORDERS"]},
    }

    with pytest.raises(SettingMissingError, match=r"'variables' of 'cluster'.*ORDERS"):
        Environment("staging", settings).reading([]).command("cluster")


def test_at_the_limit_the_whole_group_of_processes_is_ended(tmp_path):
    """A child would go on otherwise, and keep what it holds."""
    noted = tmp_path / "child"

    with pytest.raises(TimeoutError, match=r"no answer within 4 s; its processes were ended"):
        command(timeout_s=4).run((sys.executable, "-c", STARTS_A_CHILD, str(noted)), writes=reads)
    assert has_ended(int(noted.read_text()))


def test_a_probe_that_is_late_ends_its_command():
    """Its connections are cut, and a command is one."""
    environment, found = Environment("staging", {"kind": "staging"}), []

    def run(systems):
        found.append(systems.command("x"))
        return found[0].run(("sleep", "600"), writes=reads).code

    probe = Probe(name="tests.sleep", arguments={}, timeout_s=0.5, run=run)
    with pytest.raises(TimeoutError):
        probe.read(environment.reading([]))


def test_an_endless_output_is_cut_off():
    """The record is no place for it, and neither is the memory."""
    with pytest.raises(NoAnswerError, match=f"more than {OUTPUT_LIMIT_BYTES // 10**6} MB"):
        command().run(("yes",), writes=reads)


def test_a_command_that_is_not_there_says_so():
    """It is no answer."""
    with pytest.raises(NoAnswerError, match=r"`no-such-command` cannot be started"):
        command().run(("no-such-command",), writes=reads)


def test_a_command_asks_nobody():
    """It gets no terminal and no input, so that it cannot wait for a password."""
    assert command().run(("cat",), writes=reads).text == ""
