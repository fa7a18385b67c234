"""What lint reads: any text without a crash, and pairs as the exact comparison sees them."""

import json
import time
from datetime import date
from pathlib import Path

import pytest
from broken import BAD, NOW, found_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_nb.authoring.commands.changed import changed
from runbook_nb.authoring.lint import lint
from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rules import RULES
from runbook_nb.runbook import pair
from runbook_nb.runbook.twin import is_twin

GOOD = (BAD / "trial.md").read_text(encoding="utf-8")
SHIPPED = sorted((Path(__file__).parents[3] / "notebooks").glob("*.md"))
ODD = st.sampled_from(
    [
        "```python\n",
        "```\n",
        "---\n",
        "### Option A",
        "incident.",
        "{",
        "'",
        "null",
        "- ",
        "\t",
        "é",
    ]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.integers(0, len(GOOD)),
    length=st.integers(0, 400),
    between=st.one_of(ODD, st.text(max_size=30)),
)
def test_no_text_makes_a_rule_crash(folder, start, length, between):
    """The author of a broken text needs a finding, not a traceback."""
    path = folder / "trial.md"
    page = RunbookPage(path, GOOD[:start] + between + GOOD[start + length :])
    shelf = Shelf(folder, {"trial": page}, date(2026, 11, 23))

    for rule in RULES:
        if not page.problem and rule.name != "pair":
            for flaw in rule.find(page, shelf):
                assert flaw.line >= 1
                assert flaw.message


@pytest.mark.parametrize(
    "key", ["alerts", "related", "validations", "parameters", "owner", "title"]
)
@pytest.mark.parametrize("value", ["null", "7", "[1, {a: 2}]", "{a: [b]}", "2026-11-23", "''"])
def test_no_front_matter_makes_a_rule_crash(folder, key, value):
    """YAML gives whatever it likes."""
    path = folder / "trial.md"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(at for at, line in enumerate(lines) if line.startswith(f"    {key}:"))
    end = next(
        at for at in range(place + 1, len(lines)) if not lines[at].startswith(("    -", "     "))
    )
    path.write_text("".join([*lines[:place], f"    {key}: {value}\n", *lines[end:]]))

    assert found_in(folder)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"---\n", b"---\na: [\n---\n", b"# A\n"])
def test_what_is_no_runbook_is_one_finding(folder, content):
    """And the others are still judged."""
    (folder / "broken.md").write_bytes(content)

    (found,) = lint([folder / "broken.md"], folder=folder, now=NOW)

    assert (found.rule, found.line) == ("readable", 1)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_pair_that_is_in_sync_is_seen_without_the_slow_comparison(path):
    """Else lint takes as long as it takes to import the notebook libraries."""
    in_sync = not pair.out_of_date(path)

    assert is_twin(RunbookPage.read(path).document) == in_sync


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells.pop(),
        lambda cells: cells[5].update(source="other"),
        lambda cells: cells[1]["metadata"].update(tags=[]),
        lambda cells: cells.insert(3, dict(cells[3])),
        lambda cells: cells[3].update(cell_type="raw"),
    ],
)
def test_a_changed_notebook_is_no_twin(folder, change):
    """What is not the same to the letter is left to the exact comparison."""
    path = folder / "trial.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert is_twin(RunbookPage.read(folder / "trial.md").document)
    change(notebook["cells"])
    path.write_text(json.dumps(notebook), encoding="utf-8")

    assert not is_twin(RunbookPage.read(folder / "trial.md").document)
    assert "pair" in {finding.rule for finding in found_in(folder)}


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf /var/lib/agent",
        "$ sudo kill -9 42",
        "ps aux | grep agent | xargs kill",
        "kubectl -n agents delete pod agent-1",
        "kubectl rollout restart deployment/agent",
        "flyctl machine restart 148e -a agent",
        "fly secrets set A=b",
        "supabase db reset --linked",
        "psql $DSN -c 'update missions set status = 1'",
        'psql "$DSN" -qc "DELETE FROM missions"',
        "DELETE FROM missions WHERE id = 1;",
        "update missions set status = 'blocked'",
        "select pg_terminate_backend(42)",
        "postgres=# drop table missions;",
        "curl -X POST http://127.0.0.1:8000/restart",
        "curl http://127.0.0.1:8000/restart -d x=1 ",
        "vercel rollback",
        "git push --force",
        "docker compose down",
    ],
)
def test_a_changing_command_is_seen(line):
    """As people write it."""
    assert changed(line)


@pytest.mark.parametrize(
    "line",
    [
        "kubectl get pods",
        "psql $DSN -c 'select * from missions where deleted'",
        "select updated_at from missions",
        "flyctl status -a agent",
        "curl -s http://127.0.0.1:8000/health",
        "git log --oneline",
        "the agent does not kill it",
        "runbook close INC-2041",
        "update: 3 rows",
        "supabase migration list",
        "docker ps",
        "arm the alert",
    ],
)
def test_a_reading_command_is_let_through(line):
    """Diagnosis may be copied."""
    assert not changed(line)


def test_no_line_takes_long_to_judge():
    """A pattern that looks back too far would hang on a pasted line."""
    began = time.monotonic()
    for piece in ("psql -c ", "kubectl a ", "a.", "-", "fly  ", "curl -d", "'", " "):
        changed(piece * 5_000)
    assert time.monotonic() - began < 5
