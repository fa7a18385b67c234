"""Commands of this machine: real answers, and refusals before a process starts."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from runbook_nb.errors import (
    NoAnswerError,
    ParameterError,
    SettingMissingError,
    WriteRefusedError,
)
from runbook_nb.packs.everyday.systems import command
from runbook_nb.packs.everyday.systems.command.rules import RULES, refusal


@pytest.fixture
def ours(staging):
    return staging(command={"host": socket.gethostname()})


@pytest.fixture
def log(write_file):
    return write_file("app.log", "ok\nERROR one\nok\nERROR two\n")


def test_a_number_of_what_is_printed(ours):
    """The share of the disk in use, by the one group of a pattern."""
    probe = command.number(("df", "--output=pcent", "/"), pattern=r"(\d+)%", unit="%")

    reading = ours.read(probe)

    assert probe.unit == "%"
    assert 0 <= reading.value <= 100
    assert reading.detail["host"] == socket.gethostname()
    assert ours.asked[0].startswith("df --output=pcent / → exit code 0 in ")
    assert ours.source == "staging command"


def test_a_text_and_lines_and_an_exit_code(ours, log):
    """Each an answer of its own."""
    assert ours.value(command.text(("uname", "-s"))) == os.uname().sysname
    assert ours.value(command.lines(("grep", "ERROR", str(log)))) == 2
    assert ours.value(command.number(("grep", "-c", "ERROR", str(log)), unit="lines")) == 2
    assert ours.value(command.exit_code(("grep", "-q", "absent", str(log)))) == 1


def test_no_match_is_an_answer_of_grep_and_an_error_is_none(ours, log):
    """Its exit code tells them apart."""
    assert ours.value(command.number(("grep", "-c", "absent", str(log)))) == 0
    with pytest.raises(NoAnswerError, match=r"`grep` ended with exit code 2: .*No such file"):
        ours.read(command.lines(("grep", "x", f"{log}.absent")))


@pytest.mark.parametrize(
    ("words", "pattern", "reason"),
    [
        (("uname",), "", "'Linux' is no number"),
        (("uname",), "([0-9]+)", "fits 0 times"),
        (("grep", "o", "{log}"), "(ok)", "fits 2 times"),
        (("date", "+nan"), "(.+)", "no number to judge"),
        (("date", "+"), "", "is no number"),
    ],
)
def test_not_one_number_is_unknown(ours, log, words, pattern, reason):
    """Taking the first would be a guess."""
    words = tuple(word.format(log=log) for word in words)

    with pytest.raises(NoAnswerError, match=reason):
        ours.read(command.number(words, pattern=pattern))


def test_a_pattern_marks_its_number():
    """With one group."""
    for pattern in (r"\d+%", r"(\d+)(%)"):
        with pytest.raises(ParameterError, match="one group"):
            command.number(("df",)).run(None, ("df",), pattern=pattern)


REFUSED = [
    ("rm", "-rf", "/srv"),
    ("sh", "-c", "true"),
    ("env",),
    ("cat", "/etc/shadow"),
    ("sudo", "df"),
    ("/bin/df",),
    ("",),
    (),
    ("find", "/srv", "-delete"),
    ("find", "/srv", "-name", "x", "-exec", "rm", "{}", ";"),
    ("find", "/srv", "-ok", "rm"),
    ("find", "/srv", "-fprint", "/etc/passwd"),
    ("find", "/srv", "-fls", "x"),
    ("systemctl", "restart", "web"),
    ("systemctl", "--now", "disable", "web"),
    ("systemctl", "status", "web", "--host=elsewhere"),
    ("systemctl", "status", "-H", "elsewhere"),
    ("systemctl", "show", "web", "-p", "Environment"),
    ("journalctl", "--vacuum-size=1M"),
    ("journalctl", "--vac=1M"),
    ("journalctl", "--rotate"),
    ("journalctl", "--rot"),
    ("journalctl", "-u", "web", "--flush"),
    ("journalctl", "-b", "--rotate"),
    ("journalctl", "--cursor-file=/etc/passwd"),
    ("journalctl", "-f"),
    ("date", "-s", "2020-01-01"),
    ("date", "--se=2020-01-01"),
    ("date", "010100002020"),
    ("hostname", "elsewhere"),
    ("hostname", "-F", "/etc/passwd"),
    ("ss", "-K", "dst", "10.0.0.1"),
    ("ss", "-tK"),
    ("ss", "--kill"),
    ("ss", "-D", "/etc/passwd"),
    ("ip", "link", "set", "eth0", "down"),
    ("ip", "addr", "flush", "dev", "eth0"),
    ("ip", "a", "d", "10.0.0.1"),
    ("ip", "-batch", "x"),
    ("ip", "netns", "exec", "x", "sh"),
    ("ip", "-n", "x", "addr"),
    ("git", "commit", "-m", "x"),
    ("git", "log", "--output=/etc/passwd"),
    ("git", "log", "-p"),
    ("git", "-c", "core.pager=sh", "log"),
    ("git", "-C", "/srv", "push"),
    ("git", "-C"),
    ("ps", "auxe"),
    ("ps", "e"),
    ("ps", "-f", "e"),
    ("ps", "-o", "pid,environ"),
    ("pgrep", "--signal", "KILL", "web"),
    ("tail", "-f", "/srv/log"),
    ("tail", "--follow", "/srv/log"),
    ("tail", "-n5f", "--retry", "/srv/log"),
    ("dig", "-f", "/etc/shadow"),
    ("getent", "shadow"),
    ("timedatectl", "set-time", "2020-01-01"),
    ("chronyc", "makestep"),
    ("free", "-s", "1"),
    ("grep", "-f", "/etc/shadow", "x"),
    ("vmstat", "1"),
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_may_write_is_refused_before_a_process_starts(ours, words):
    """Options are allowed by name: an abbreviation and a new one are refused as well."""
    for probe in (command.text, command.number, command.lines, command.exit_code):
        with pytest.raises(WriteRefusedError, match="Probes only read"):
            ours.read(probe(words))
        assert ours.asked == []


READING = [
    "df -hT /var",
    "du -sh --max-depth=1 /var/log",
    "free -m",
    "uptime",
    "ps -eo pid,rss,comm --sort=-rss",
    "ps aux",
    "pgrep -c -u www-data nginx",
    "ss -tln sport = :443",
    "ss -s",
    "ip -j addr show dev eth0",
    "ip route get 10.0.0.1",
    "systemctl is-active nginx",
    "systemctl show nginx -p NRestarts --value",
    "systemctl list-units --failed --no-legend",
    "journalctl -u nginx --since=-15min -p err --no-pager -o cat",
    "journalctl -k -b -n 50 -q",
    "git -C /srv/app rev-parse HEAD",
    "git -C /srv/app status --porcelain",
    "git log --oneline -5",
    "find /var/spool -name *.lock -mmin +30 -type f",
    "date -u +%s",
    "dig +short @10.0.0.53 shop.example.com A",
    "getent hosts shop.example.com",
    "stat -c %Y /srv/app/heartbeat",
    "tail -n 100 /var/log/app.log",
    "timedatectl show -p NTPSynchronized --value",
    "chronyc tracking",
]


@pytest.mark.parametrize("line", READING)
def test_what_responders_type_every_night_is_known_to_read(line):
    """A list that refuses these would not be used."""
    assert refusal(tuple(line.split())) == ""


@pytest.mark.parametrize("name", RULES)
def test_no_command_of_the_list_takes_what_writes_elsewhere(name):
    """Whatever else its rule says."""
    writing = ("--output=/etc/passwd", "--vacuum-size=1", "--set=x", "--kill", "--delete", "--")
    allowed = [word for word in writing if not refusal((name, word))]

    # Columns of df, and columns or the form of lines of the others.
    assert set(allowed) <= {"--output=/etc/passwd"}
    assert not allowed or name in {"df", "findmnt", "journalctl", "lsblk"}


def test_another_machine_than_the_environments_is_unknown(staging):
    """A full disk there is not seen here."""
    elsewhere = staging(command={"host": "web-1.example.com"})

    with pytest.raises(NoAnswerError, match=r"about web-1\.example\.com, and this is"):
        elsewhere.read(command.text(("uptime",)))
    assert elsewhere.asked == []
    with pytest.raises(SettingMissingError, match="'host' of 'command'"):
        staging().read(command.text(("uptime",)))
    assert staging(command={"host": "localhost"}).value(command.text(("uname",)))


def test_a_line_is_no_words(ours):
    """No shell sees it."""
    with pytest.raises(ParameterError, match=r"such as \('df', '-h'\)"):
        ours.read(command.text("df -h"))


def test_git_leaves_its_index_as_it_is_and_runs_no_program_of_the_folder(ours, tmp_path):
    """A status would write the one, and start the other."""
    folder, ran = tmp_path / "app", tmp_path / "ran"
    git = ("git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(("git", "init", "-q", folder), check=True)
    (folder / "file").write_text("one", encoding="utf-8")
    subprocess.run((*git, "add", "file"), check=True)
    subprocess.run((*git, "commit", "-qm", "one"), check=True)
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    hook.chmod(0o755)
    subprocess.run((*git, "config", "core.fsmonitor", str(hook)), check=True)
    os.utime(folder / "file", (1, 1))
    index = (folder / ".git" / "index").read_bytes()

    assert ours.value(command.lines(("git", "-C", str(folder), "status", "--porcelain"))) == 0

    assert (folder / ".git" / "index").read_bytes() == index
    assert not Path(ran).exists()
