"""Whatever is broken, a command says so in a sentence: every command, and generated inputs."""

import json
import os
import string
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_nb.cli import app, run_command
from runbook_nb.testing import environ

pytestmark = pytest.mark.forms(parts=10)

# What would start a server, a lab or a browser and stay; their other errors are tried by name.
STAYING = {("open",), ("lab", "up"), ("drill",), ("validate",)}
# What ends at once, and what would change the shell of who runs the tests.
LEFT_OUT = (
    *("help", "version", "install_completion", "show_completion", "browser", "start"),
    "parked",  # it waits for a line
)
# A form that takes no path of the project leaves nothing behind in it.
BROKEN_TEXTS = (
    b"",
    b"\x00\xff\xfe",
    b"{",
    b"[" * 20_000,
    b'{"cells": null, "metadata": null}',
    b'{"cells": [null, 7], "metadata": {"runbook": []}}',
    b"---\njupyter: [\n---\n",
    b"---\njupyter:\n  runbook: 7\n---\n",
    b"<<<<<<< HEAD\n=======\n>>>>>>> x\n",
    b"alerts: {{{",
    b'{"seq": 1e999}\n',
    "🙂\u202e".encode(),
)
# A word that is a path leads nowhere but into the project: some commands write where it points.
LETTERS = "".join(sorted(set(string.printable) - set("/~.\\"))) + "\u202e\x1b\ud7ff🙂"
HOSTILE_WORDS = st.one_of(
    st.sampled_from(("", " ", "-", "--", "/dev/null", "/dev/null/x", "x" * 5_000, "\n")),
    st.text(alphabet=LETTERS, max_size=30),
)


def commands():
    """Go through all commands of the application by their words, those of groups too."""

    def within(command, words):
        if hasattr(command, "commands"):
            for name, each in command.commands.items():
                yield from within(each, (*words, name))
        else:
            yield words, command

    return list(within(typer.main.get_command(app), ()))


ALL = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one runbook, where every file can be broken."""
    root = tmp_path_factory.mktemp("project")
    before = Path.cwd()
    os.chdir(root)
    try:
        with environ(RUNBOOK_LAB=str(root / "lab"), RUNBOOK_INCIDENTS=str(root / "incidents")):
            assert run_command(["init"]) == 0
            yield root
    finally:
        os.chdir(before)


def said(arguments, capfd):
    """Run a command and return its exit code and what it printed; a traceback fails here."""
    capfd.readouterr()
    code = run_command(arguments)
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err, arguments
    assert "bug of runbook" not in out + err, (arguments, out + err)
    assert code in (0, 1, 2, 3), arguments
    return code, out, err


def arguments_of(command, draw):
    """Fill every argument of a command, and some of its options, with hostile words."""
    words = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            words.append(draw(HOSTILE_WORDS))
        elif parameter.name not in LEFT_OUT and draw(st.booleans()):
            option = parameter.opts[0]
            words += [option] if parameter.is_flag else [option, draw(HOSTILE_WORDS)]
    return words


@pytest.mark.parametrize(
    ("words", "command"), [each for each in ALL if each.values[0] not in STAYING]
)
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_hostile_words_are_answered_in_a_sentence(project, capfd, words, command, data):
    """Control characters, nothing, far too much: each command, its arguments and options."""
    said([*words, *arguments_of(command, data.draw)], capfd)


@pytest.mark.parametrize("content", BROKEN_TEXTS, ids=lambda each: repr(each[:20]))
@pytest.mark.parametrize(
    "words",
    [
        ("run", "--alert"),
        ("open", "--no-start", "--alert"),
        ("import",),
        ("coverage", "--alerts"),
        ("verify",),
        ("fmt",),
        ("lint",),
    ],
    ids=" ".join,
)
def test_a_broken_file_is_named(project, capfd, tmp_path, words, content):
    """It was given by a person, who can look at it."""
    path = tmp_path / "broken.json"
    path.write_bytes(content)

    said([*words, str(path)], capfd)


@pytest.mark.parametrize("name", ["notebooks/queue_backlog.ipynb", "notebooks/queue_backlog.md"])
@pytest.mark.parametrize("content", BROKEN_TEXTS, ids=lambda each: repr(each[:20]))
@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "queue_backlog"),
        ("lint",),
        ("fmt", "--check"),
        ("owners",),
        ("coverage",),
        ("run", "queue_backlog"),
        ("open", "queue_backlog", "--no-start"),
    ],
    ids=" ".join,
)
def test_a_broken_runbook_is_named(project, capfd, name, content, words):
    """By every command that reads it."""
    path = project / name
    whole = path.read_bytes()
    try:
        path.write_bytes(content)
        said(words, capfd)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "name", ["runbook.toml", "notebooks/organisation.toml", "notebooks/contacts.toml"]
)
@pytest.mark.parametrize(
    "content",
    [*BROKEN_TEXTS, b"notebooks = 7\n", b"packs = {}\n", b"[environments]\nlab = 7\n"],
    ids=lambda each: repr(each[:20]),
)
@pytest.mark.parametrize("words", [("list",), ("lint",), ("calls",), ("run", "queue_backlog")])
def test_broken_settings_are_named(project, capfd, name, content, words):
    """Of the project, the organisation and its contacts."""
    path = project / name
    whole = path.read_bytes()
    try:
        path.write_bytes(content)
        said(words, capfd)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("content", BROKEN_TEXTS, ids=lambda each: repr(each[:20]))
@pytest.mark.parametrize(
    "words",
    [
        ("status", "INC-9"),
        ("status",),
        ("note", "INC-9", "x"),
        ("close", "INC-9"),
        ("verify", "INC-9"),
        ("archive", "INC-9"),
        ("postmortem", "INC-9"),
        ("similar", "INC-9"),
        ("diff", "INC-9", "INC-9"),
        ("approve", "INC-9", "A"),
        ("list", "--incidents"),
        ("review",),
    ],
    ids=" ".join,
)
def test_a_broken_timeline_is_named(project, capfd, content, words):
    """By every command that reads it."""
    path = project / "incidents" / "INC-9" / "timeline.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

    said(words, capfd)


@pytest.mark.parametrize("kind", ["folder", "dangling link", "unreadable"])
def test_what_is_no_readable_file_is_named(project, capfd, tmp_path, kind):
    """A folder, a link to nothing, a file of somebody else."""
    path = tmp_path / "alert.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_text("{}")
        path.chmod(0)
    for words in (("run", "--alert"), ("coverage", "--alerts"), ("import",), ("verify",)):
        code, _, _ = said([*words, str(path)], capfd)
        assert code == 3 or (kind == "unreadable" and os.geteuid() == 0)


def test_an_error_is_json_where_a_machine_reads(project, capfd):
    """With its kind, its words and the exit code."""
    code, out, _ = said(["run", "no_such_runbook", "--json"], capfd)
    facts = json.loads(out)

    assert (code, facts["exit_code"]) == (3, 3)
    assert facts["error"] == "RunbookNotFoundError"
