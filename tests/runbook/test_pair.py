"""Pairs: Markdown and notebook say the same, also after JupyterLab has saved one of them."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import jupytext
import nbformat
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import PairConflictError, RunbookError
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.pair import conflict, formatted, out_of_date, write
from runbook_nb.runbook.twin import is_twin
from runbook_nb.testing import environ

MASTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.md"))
NAMES = [path.stem for path in MASTERS]
NAME = "heartbeat_failure_recovery"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Use copies of all pairs."""
    for master in MASTERS:
        shutil.copy(master, tmp_path)
        shutil.copy(master.with_suffix(".ipynb"), tmp_path)
    with environ(RUNBOOK_NOTEBOOKS=str(tmp_path)):
        yield tmp_path


@pytest.fixture
def jupyter(folder: Path) -> Iterator[httpx.Client]:
    """Open the contents API of a Jupyter server that serves the folder, as JupyterLab does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ("--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=word")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *words, f"--ServerApp.root_dir={folder}"],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")},
        stderr=subprocess.DEVNULL,
    )
    headers = {"authorization": "token word"}
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/contents",
            headers=headers,
            trust_env=False,
            timeout=30,
        ) as client:
            _await(client, server)
            yield client
    finally:
        server.terminate()
        server.wait()


def _await(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and server.poll() is None:
        try:
            client.get("/").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The Jupyter server did not answer within 30 s.")


def save(jupyter: httpx.Client, name: str, change: Callable[[dict], None] | None = None) -> None:
    """Open a notebook and save it, as an editor does that changed it."""
    opened = jupyter.get(f"/{name}.ipynb", params={"content": 1}).raise_for_status()
    notebook = opened.json()["content"]
    # JupyterLab notes what the kernel told of the language, and what a cell printed.
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.13.7"}
    if change:
        change(notebook)
    body = {"type": "notebook", "format": "json", "content": notebook}
    jupyter.put(f"/{name}.ipynb", json=body).raise_for_status()


def edit_first_check(path: Path, *, was: str, now: str) -> None:
    """Change the text of a notebook's cells and leave their ids, as an editor does."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = [line.replace(was, now) for line in cell["source"]]
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def fmt(*arguments: str, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["fmt", *arguments])
    failed = isinstance(done.exception, RunbookError)
    assert (done.exception.exit_code if failed else done.exit_code) == expect, done.output
    return str(done.exception) if failed else done.output


def by_jupytext(path: Path) -> None:
    """Write the notebook as `jupytext --to ipynb` does: with ids and a version of its own."""
    notebook = jupytext.read(path)
    notebook.metadata["jupytext"]["text_representation"]["jupytext_version"] = "9.9.9"
    jupytext.write(notebook, path.with_suffix(".ipynb"))


def by_an_editor(path: Path) -> None:
    """Save the notebook as editors do that note what they know and how it was looked at."""
    file = path.with_suffix(".ipynb")
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata |= {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": "3.13.7"},
        "toc": {"base_numbering": 1},
        "toc-autonumbering": True,
        "widgets": {},
    }
    for cell in notebook.cells:
        cell.metadata |= {"collapsed": True, "jupyter": {"source_hidden": True}, "editable": False}
    nbformat.write(notebook, file)


@pytest.mark.parametrize("saved", [pytest.param(by_jupytext, marks=pytest.mark.slow), by_an_editor])
def test_what_an_editor_adds_when_it_saves_is_no_difference(folder, saved):
    """Neither to lint nor to `fmt --check`; `fmt` puts the notebook in form again."""
    for name in NAMES:
        path = folder / f"{name}.md"
        saved(path)
        assert out_of_date(path) == []
        assert is_twin(Document.read(path))
        assert conflict(path) == ""
    assert fmt("--check") == ""
    fmt()
    for master in MASTERS:
        notebook = master.with_suffix(".ipynb")
        assert (folder / notebook.name).read_bytes() == notebook.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: notebook.metadata.runbook.update(owner="Somebody"),
        lambda notebook: notebook.metadata.jupytext.update(formats="ipynb"),
        lambda notebook: notebook.cells[1].metadata.update(tags=[]),
        lambda notebook: notebook.cells[1].update(execution_count=7),
        lambda notebook: notebook.cells.pop(),
    ],
)
def test_what_is_ours_is_a_difference(folder, change):
    """Front matter, pairing, tags, cells, and that something was run."""
    path = folder / f"{NAME}.md"
    file = path.with_suffix(".ipynb")
    notebook = nbformat.read(file, as_version=4)
    change(notebook)
    nbformat.write(notebook, file)

    assert out_of_date(path) == [file]


@pytest.mark.parametrize("path", MASTERS, ids=NAMES)
def test_text_to_notebook_to_text_is_the_same_to_the_byte(path):
    """Both ways, without the Markdown at hand on the way back."""
    text, stored = formatted(path).values()
    assert text == path.read_text(encoding="utf-8")
    assert jupytext.writes(nbformat.reads(stored, as_version=4), fmt="md") == text


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_save_by_jupyterlab_leaves_the_text_as_it_was(folder, jupyter):
    """To the byte for every pair; the notebook is put in form again."""
    for name in NAMES:
        save(jupyter, name)
    for master in MASTERS:
        assert (folder / master.name).read_bytes() == master.read_bytes()
        assert conflict(folder / master.name) == ""
    fmt()
    for master in MASTERS:
        notebook = master.with_suffix(".ipynb")
        assert (folder / notebook.name).read_bytes() == notebook.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_edit_in_jupyterlab_reaches_the_text(folder, jupyter):
    """The pairing of JupyterLab saves both; outputs go, and the rest of the text stays."""
    path, asked = folder / f"{NAME}.md", "What is the lag?"

    def change(notebook: dict) -> None:
        told = next(cell for cell in notebook["cells"] if "### Check 1" in cell["source"])
        told["source"] += f"\n\n{asked}"
        ran = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        ran["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "of that night"}]

    before = path.read_text(encoding="utf-8")
    save(jupyter, NAME, change)
    fmt(NAME)
    after = path.read_text(encoding="utf-8")

    assert after.replace(f"\n\n{asked}", "", 1) == before
    assert "of that night" not in path.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert out_of_date(path) == []


def test_an_edit_of_the_notebook_alone_is_shown_and_not_lost(folder):
    """An editor without pairing saves only the notebook."""
    path = folder / f"{NAME}.md"
    edit_first_check(path.with_suffix(".ipynb"), was="at_most(5,", now="at_most(4,")
    before = {file: file.read_bytes() for file in folder.iterdir()}

    with pytest.raises(PairConflictError, match="was edited"):
        write(path)
    said = fmt(expect=2)

    assert "-    expect=at_most(5, " in said
    assert "+    expect=at_most(4, " in said
    assert f"runbook fmt {NAME} --take notebook" in said
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(("taken", "holds"), [("notebook", "4"), ("markdown", "5")])
def test_the_author_says_which_of_the_two_holds(folder, taken, holds):
    """Then both say the same."""
    path = folder / f"{NAME}.md"
    edit_first_check(path.with_suffix(".ipynb"), was="at_most(5,", now="at_most(4,")
    fmt(NAME, "--take", taken)

    assert f"expect=at_most({holds}, " in path.read_text(encoding="utf-8")
    assert out_of_date(path) == []
    assert fmt() == ""


def test_an_edit_of_the_text_goes_into_a_notebook_that_nobody_edited(folder):
    """That is the usual way, and no conflict."""
    path = folder / f"{NAME}.md"
    path.write_text(path.read_text(encoding="utf-8").replace("at_most(5,", "at_most(4,"), "utf-8")

    assert conflict(path) == ""
    assert [file.name for file in write(path)] == [f"{NAME}.ipynb"]


def test_which_file_holds_is_said_for_a_runbook_that_is_named(folder):
    """Never for all at once."""
    said = fmt("--take", "markdown", expect=3)
    assert "named" in said


@pytest.mark.parametrize("name", NAMES)
def test_a_forge_shows_the_title_first(name):
    """Its front matter stands in a comment, and no text of it ends that."""
    text = (MASTERS[0].parent / f"{name}.md").read_text(encoding="utf-8")

    shown = re.sub(r"\A<!--.*?-->", "", MarkdownIt("commonmark").render(text), flags=re.DOTALL)

    assert shown.lstrip().startswith("<h1>")


def test_front_matter_is_shown_and_hidden_without_loss(folder):
    """As the metadata says: both files hold the same either way."""
    path = folder / f"{NAME}.md"
    hidden, told = path.read_text(encoding="utf-8"), Document.read(path)
    shown = hidden.replace("    hide_notebook_metadata: true\n", "")
    path.write_text(shown, encoding="utf-8")
    write(path, discard=True)
    plain = path.read_text(encoding="utf-8")
    assert plain.startswith("---\njupyter:\n")
    document = Document.read(path)
    assert (document.front, document.digest) == (told.front, told.digest)
    assert is_twin(document)

    key = "    formats: ipynb,md\n"
    path.write_text(plain.replace(key, f"{key}    hide_notebook_metadata: true\n"), "utf-8")
    write(path, discard=True)
    assert path.read_text(encoding="utf-8") == hidden
    assert is_twin(Document.read(path))
