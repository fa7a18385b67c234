"""`runbook import`: sections, commands, placeholders, and what is refused."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from drafting_kept import NOW

from runbook_nb.authoring.importer import Imported, draft, parse_source, split
from runbook_nb.authoring.importer.commands import commands
from runbook_nb.authoring.importer.sections import recognised, sorted_parts
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock, read_blocks
from runbook_nb.cli import main
from runbook_nb.errors import RunbookFormatError, RunbookNotFoundError
from runbook_nb.runbook.runbook import Runbook

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Meaning", "Symptoms"),
        ("Impact", "Symptoms"),
        ("2. 🔎 Diagnostics", "Diagnosis"),
        ("Troubleshooting steps", "Diagnosis"),
        ("Mitigation", "Resolution Steps"),
        ("Solution B: Purge", "Resolution Steps"),
        ("**Resolution**", "Resolution Steps"),
        ("Verification", "Verification"),
        ("Escalation path", "Contacts"),
        ("See also", "Related Runbooks"),
        ("Post-mortem", "Post-Incident"),
        ("Containment", "Containment"),
        ("Widgets", ""),
        ("Fixtures", ""),
    ],
)
def test_usual_headings_are_recognised(heading: str, section: str):
    """Numbers, marks and case do not count; a longer word is another word."""
    assert recognised(heading) == section


def test_a_heading_goes_with_the_one_above_it():
    """Unless that one only says that steps follow."""
    text = (
        "## Mitigation\n\n### Check the pods\n\n### Verification\n\n"
        "## Procedure\n\n### Diagnosis\n\n### Rollback\n"
    )

    parts = sorted_parts(read_blocks(text.split("\n")))

    assert [(part.heading, part.target) for part in parts] == [
        ("Mitigation", "Resolution Steps"),
        ("Check the pods", "Resolution Steps"),
        ("Verification", "Resolution Steps"),
        ("Procedure", "Resolution Steps"),
        ("Diagnosis", "Diagnosis"),
        ("Rollback", "Resolution Steps"),
    ]


@pytest.mark.parametrize(
    ("line", "reads"),
    [
        ("kubectl get pods -n x | grep web", True),
        ("kubectl -n x logs deploy/web --tail 5", True),
        ("kubectl exec web -- ls", False),
        ("kubectl delete pod web", False),
        ("sudo systemctl status nginx", True),
        ("systemctl restart nginx", False),
        ("curl -s https://a.example.com", True),
        ("curl -X POST https://a.example.com", False),
        ("curl -d x=1 https://a.example.com", False),
        ("cat a > b", False),
        ("cat a 2>/dev/null", True),
        ("echo $(rm -rf x)", False),
        ('echo "$(unknown x)"', False),
        ("ps aux | xargs kill", False),
        ("git status && git push", False),
        ("find . -delete", False),
        ("some-tool --now", False),
        ('psql -c "select 1"', True),
        ('psql -c "delete from a"', False),
        ("aws ec2 describe-instances", True),
        ("aws ec2 terminate-instances", False),
    ],
)
def test_a_command_is_changing_unless_it_is_known_to_read(line: str, reads: bool):  # noqa: FBT001
    """A guess may only err to the careful side."""
    block = SourceBlock(kind=BlockKind.CODE, line=1, lines=(line,), language="bash")

    (command,) = commands(block)

    assert command.reads is reads


def test_sessions_are_cut_into_commands_and_output(take_in: Callable[..., Imported]):
    """The prompt is left out of what is copied; the output stands below."""
    written = take_in("# T\n\n## Fix\n\n```\n$ df -h\n/dev/a 9%\n$ rm -rf \\\n  /tmp/x\n```\n")

    first, second = written.draft.steps
    assert (first.lines, first.output, first.reads) == (("df -h",), ("/dev/a 9%",), True)
    assert (second.lines, second.reads) == (("rm -rf \\", "  /tmp/x"), False)
    assert "```text\nrm -rf \\\n  /tmp/x\n```" in written.draft.text


def test_commands_in_lists_become_manual_steps(take_in: Callable[..., Imported]):
    """Indented fences are found, and nothing acts."""
    written = take_in((SAMPLES / "nested_lists.md").read_text(encoding="utf-8"))

    book = Runbook.read(written.path)
    verbs = [step.verb for step in book.steps]
    assert len(written.draft.steps) == 4
    assert set(verbs) <= {"ask", "check", "decide"}


def test_placeholders_become_typed_parameters(take_in: Callable[..., Imported]):
    """Names tell the type; what the shell sets by itself is none."""
    written = take_in((SAMPLES / "variables.md").read_text(encoding="utf-8"))

    types = {found.name: (found.type, found.low) for found in Runbook.read(written.path).parameters}
    assert types["port"] == ("int", 1)
    assert types["timeout"] == ("int", 0)
    assert types["class_value"] == ("str", None)
    assert types["your_namespace"] == ("str", None)
    assert not {"home", "region", "host", "in", "nf"} & set(types)


def test_owner_severity_alert_and_contacts_are_read(take_in: Callable[..., Imported]):
    """What the source says is not asked again."""
    written = take_in((SAMPLES / "solutions_a_to_d.md").read_text(encoding="utf-8"))

    front = Runbook.read(written.path).front
    assert (front["severity"], front["owner"]) == ("SEV2", "Integrations Team")
    assert front["escalation"] == ["ops-oncall@company.com", "#incidents"]


def test_missing_parts_are_gaps(take_in: Callable[..., Imported]):
    """Owner, expected output and verification are the usual ones."""
    written = take_in("# T\n\n## Diagnosis\n\n```\ndf -h\n```\n")

    said = " ".join(gap.what for gap in written.gaps)
    for missing in ("owner", "severity", "expected output", "verify", "the highest value"):
        assert missing in said


def test_a_huge_file_is_split_at_its_titles():
    """Each part keeps its lines, and all of them together are the file."""
    source = parse_source("all.md", (SAMPLES / "several_titles.md").read_bytes())

    parts = split(source)

    assert [part.name for part in parts] == [
        "database_is_down.md",
        "database_is_slow.md",
        "database_is_full.md",
    ]
    assert tuple(line for part in parts for line in part.lines) == source.lines


def test_one_runbook_cannot_be_split():
    """And it says so."""
    with pytest.raises(RunbookFormatError, match="holds one runbook"):
        split(parse_source("a.md", b"# A\n\n## Fix\n"))


def test_a_large_file_takes_seconds(runbooks):
    """The time grows with the file."""
    text = "".join(
        f"## Part {n}\n\n- text\n  ```bash\n  $ ls {n}\n  a\n  ```\n" for n in range(500)
    )

    drafted = draft(parse_source("a.md", text.encode()), runbooks=runbooks, now=NOW, name="large")

    assert len(drafted.steps) == 500


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        ("Störung".encode("latin-1"), "not UTF-8"),
        ("x".encode("utf-16"), "not UTF-8"),
        (b"a\0b", "zero bytes"),
        (b"---\njupyter:\n  runbook:\n    name: a\n---\n# A\n", "a runbook already"),
        (b"<!--\n\n---\njupyter:\n  runbook:\n    a: b\n---\n\n-->\n# A\n", "a runbook already"),
    ],
)
def test_what_cannot_be_imported_is_one_clear_error(content: bytes, said: str):
    """It names the file and what to do."""
    with pytest.raises(RunbookFormatError, match=said):
        parse_source("a.md", content)


@pytest.fixture
def command(tmp_path: Path, runbooks: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """Run `runbook` in a folder of its own; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_NOTEBOOKS", str(runbooks))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["runbook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_import_writes_a_draft_apart_from_the_runbooks(command, tmp_path: Path, runbooks: Path):
    """The exit code is 1 because it has gaps; a second time it refuses."""
    code, said, _ = command("import", str(SAMPLES / "setext.md"))

    assert code == 1
    assert "Nothing was run." in said
    assert (tmp_path / "drafts" / "setext.ipynb").is_file()
    assert not list(runbooks.glob("*.md"))
    code, _, errors = command("import", str(SAMPLES / "setext.md"))
    assert code == 3
    assert "already" in errors
    assert errors.count("\n") == 1


def test_import_reports_as_json(command):
    """A machine reads the steps, the parameters and the gaps of each draft."""
    code, said, _ = command("import", str(SAMPLES / "several_titles.md"), "--split", "--json")

    drafts = json.loads(said)["drafts"]
    assert code == 1
    assert {one["name"] for one in drafts} >= {"database_is_down", "database_is_slow"}
    assert all(one["gaps"] for one in drafts)


def test_a_folder_is_reported_in_one_call(command, tmp_path: Path):
    """What was written, what was refused and why, and how many have a check."""
    wiki = tmp_path / "wiki"
    wiki.mkdir()
    (wiki / "nodes.md").write_text("# Nodes\n\n## Checks\n\n```bash\nkubectl get nodes\n```\n")
    (wiki / "calls.md").write_text("# Calls\n\nCall the vendor.\n")
    (wiki / "empty.md").write_text("")

    code, said, _ = command("import", str(wiki), "--to", str(tmp_path / "drafts"))

    assert code == 1
    assert "2 drafts, 1 of them with a check; 1 refused." in said
    assert "refused: empty.md is empty: there is nothing to import." in said
    code, said, _ = command("import", str(wiki), "--to", str(tmp_path / "again"), "--json")
    assert [one["name"] for one in json.loads(said)["drafts"]] == ["calls", "nodes"]
    assert command("import", str(wiki), "--name", "x")[0] == 3


def test_a_kind_that_no_reader_knows_is_refused_by_name(command, tmp_path: Path):
    """With the kinds that are read."""
    (tmp_path / "a.docx").write_bytes(b"words")

    code, _, errors = command("import", str(tmp_path / "a.docx"))

    assert code == 3
    assert "a.docx is of no kind that is read here, which are .adoc" in errors


def test_new_says_what_to_do_next(command):
    """The commands to go on with are printed."""
    code, said, _ = command("new", "slow_cache")

    assert code == 0
    assert "runbook lint slow_cache" in said
    assert command("new", "slow_cache")[0] == 3
    assert command("new", "Slow Cache")[0] == 3


def test_calls_lists_what_a_runbook_may_call(command):
    """With its arguments, its unit or whether it can be undone, and what it is about."""
    _, said, _ = command("calls", "sessions")
    assert "sessions.silent(older_than: duration)\n    probe, sessions: Count active" in said
    every = json.loads(command("calls", "--json")[1])
    assert {one["call"].partition("(")[0] for one in every} >= {"agent.restart", "backups.take"}


def test_a_file_that_is_not_there_is_one_line(command):
    """No traceback."""
    code, _, errors = command("import", "nothing.md")

    assert (code, errors) == (3, "runbook: There is no file nothing.md.\n")
    assert RunbookNotFoundError.exit_code == 3
