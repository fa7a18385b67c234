"""A run executes parameters, imports, the opening and single verbs, and nothing else."""

import json

import pytest

from runbook_nb.errors import RunbookFormatError
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.join import join
from runbook_nb.runbook import runbooks_folder
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.executable import demand_verbs_only
from runbook_nb.runbook.pair import write
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.by_hand import prepare
from runbook_nb.runs.engine.progress import PlainProgress
from runbook_nb.runs.run import Order, run

FOREIGN = {
    "a shell": "%%bash\ntouch x",
    "a magic": "%run x.py",
    "a command": "!touch x",
    "a command in a line": "x = !touch x",
    "another language": "%%javascript\nalert(1)",
    "a module of Python": "import os",
    "a part of one": "from subprocess import run",
    "a loop": "for x in (1, 2):\n    incident.note('x')",
    "two verbs": "incident.note('x')\nincident.note('y')",
    "a call of its own": "pack.delete_all()",
    "eval": "incident.note(eval('1'))",
    "import as a function": "incident.note(__import__('os').getcwd())",
    "a way behind": "incident.note(incident.__class__.__name__)",
    "a lambda": "incident.note((lambda: 1)())",
    "an f-string": "incident.note(f'{1}')",
    "a condition": "incident.note('x') if True else None",
    "an assignment": "x = pack.ask()",
    "another opening": "incident = Incident.open(pack.ask())",
    "no Python": "what is this",
    "a NUL": "incident.note('x')\x00",
    "too deep": "incident.note(" + "(" * 5_000 + ")" * 5_000 + ")",
}
OURS = {
    "a check": "incident.check('x', pack.ask(minutes(5)), expect=at_most(-5, 's'), if_failed='A')",
    "an action": "incident.act('x', pack.change(ids=[1, 2]), because=('x', 'y'), risk='', undo='')",
    "imports": "from pack.systems import jobs\nfrom runbook_nb import Incident, minutes",
    "names of probes": "import pack\nlag = pack.lag()\nincident = Incident.open(incident_id)",
    "the opening": "incident = Incident.open(incident_id, runbook='x', parameters={'a': a})",
    "nothing": "\n",
    "a comment": "# what comes next",
}


def notebook(tmp_path, source, *tags):
    """Write a notebook with one cell of code."""
    cell = {
        "cell_type": "code",
        "source": source,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "execution_count": None,
    }
    path = tmp_path / "trial.ipynb"
    front = {"name": "trial", "title": "Trial", "severity": "SEV3"}
    path.write_text(json.dumps({"cells": [cell], "metadata": {"runbook": front}}))
    return path


@pytest.mark.parametrize("source", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_verb_is_refused(tmp_path, source):
    """With the file and the cell, before anything of it runs."""
    with pytest.raises(RunbookFormatError, match=r"trial\.ipynb, cell 1"):
        demand_verbs_only(Document.read(notebook(tmp_path, source)))


@pytest.mark.parametrize("source", OURS.values(), ids=OURS.keys())
def test_what_a_runbook_is_made_of_may_run(tmp_path, source):
    """Verbs with literals, and what comes before them."""
    demand_verbs_only(Document.read(notebook(tmp_path, source)))


@pytest.mark.parametrize(
    "source",
    [
        "incident.check('x', jobs.wait(), expect=at_most('Fill in: how many'), if_failed='A')",
        "incident.check('x', jobs.wait(), expect=at_most(5), if_failed='Fill in: which option')",
        "incident.act('x', jobs.go(name='Fill in: x'), because='y', risk='', undo='')",
    ],
)
def test_a_guess_runs_only_after_its_author_has_read_it(tmp_path, source):
    """A blank in a check or an action is refused before anything of the notebook runs."""
    with pytest.raises(RunbookFormatError, match=r"cell 1: this step waits for its author"):
        demand_verbs_only(Document.read(notebook(tmp_path, source)))


@pytest.mark.parametrize("source", ["x: str = os.getcwd()", "x = 1\nprint(x)", "x += 1", "x: int"])
def test_a_parameter_is_a_literal(tmp_path, source):
    """Its default is no call."""
    with pytest.raises(RunbookFormatError):
        demand_verbs_only(Document.read(notebook(tmp_path, source, "parameters")))


@pytest.mark.parametrize("path", sorted(runbooks_folder().glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_shipped_runbook_is_made_of_verbs(path):
    """The rule fits what it is for."""
    demand_verbs_only(Document.read(path))


def test_every_way_to_run_refuses_it_before_anything_is_created(tmp_path):
    """By command, by hand, and by any tool that executes its opening cell."""
    path, incidents = notebook(tmp_path, FOREIGN["a shell"]), tmp_path / "incidents"
    book = Runbook.read(path)
    context = RunContext(
        incidents=incidents,
        incident="INC-1",
        run="r",
        notebook=path,
        actor="sam",
        attended=False,
    )

    with pytest.raises(RunbookFormatError):
        run(Order(runbook=book, incidents=incidents, actor="sam"), progress=PlainProgress(None))
    with pytest.raises(RunbookFormatError):
        prepare(book, incidents=incidents, incident=None, parameters={}, by="sam")
    with pytest.raises(RunbookFormatError):
        join(context, environment="lab")
    assert not incidents.exists()


@pytest.mark.parametrize("language", ["bash", "sh", "sql", "SQL", "javascript", "ruby"])
def test_a_block_for_people_stays_text(tmp_path, language):
    """In the notebook it is Markdown; `fmt` marks it, and once is enough."""
    master = (runbooks_folder() / "heartbeat_failure_recovery.md").read_text()
    block = f"By hand:\n\n```{language}\ntouch x\n```\n\n## Diagnosis"
    path = tmp_path / "heartbeat_failure_recovery.md"
    path.write_text(master.replace("## Diagnosis", block, 1))
    write(path)
    written = path.read_text()

    document = Document.read(path.with_suffix(".ipynb"))
    assert [cell.kind for cell in document.cells if "touch x" in cell.source] == ["markdown"]
    demand_verbs_only(document)
    demand_verbs_only(Document.read(path))
    assert write(path) == []
    assert path.read_text() == written
    assert "touch x" in written
