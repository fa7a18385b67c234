"""Two tabs of one copy save over each other, and what either ran stays."""

import asyncio
import json

import nbformat
import pytest

from runbook_nb.runs.jupyter.contents import WorkingCopies

PATH = "INC-1/working/trial.ipynb"
RAN = [{"output_type": "stream", "name": "stdout", "text": "ran"}]


def notebook(**outputs):
    """Return a notebook of two cells with what each has shown."""
    cells = []
    for name in ("one", "two"):
        cell = nbformat.v4.new_code_cell(f"incident.note('{name}')", id=name)
        shown = [nbformat.from_dict(each) for each in outputs.get(name, [])]
        cell.update(outputs=shown, execution_count=1 if shown else None)
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture
def save(tmp_path):
    """Save what a tab has, and return which cells of the file have outputs then."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    copies = WorkingCopies(root_dir=str(tmp_path))

    def save(tab):
        content = json.loads(json.dumps(tab))
        model = {"type": "notebook", "format": "json", "content": content}
        asyncio.run(copies.save(model, PATH))
        cells = json.loads((tmp_path / PATH).read_text())["cells"]
        return {cell["id"]: bool(cell["outputs"]) for cell in cells}

    return save


def test_what_another_tab_ran_stays(save):
    """Whichever saves last."""
    assert save(notebook(one=RAN)) == {"one": True, "two": False}
    assert save(notebook(two=RAN)) == {"one": True, "two": True}
    assert save(notebook()) == {"one": True, "two": True}


def test_what_was_edited_is_as_the_tab_has_it(save):
    """An output of another text is not its own."""
    save(notebook(one=RAN))
    edited = notebook()
    edited.cells[0].source = "incident.note('other')"

    assert save(edited) == {"one": False, "two": False}


def test_each_state_of_a_copy_has_the_same_hash(save, tmp_path):
    """By it a tab would ask what to overwrite."""
    copies = WorkingCopies(root_dir=str(tmp_path))
    hashes = set()
    for tab in (notebook(one=RAN), notebook(two=RAN)):
        save(tab)
        hashes.add(asyncio.run(copies.get(PATH, content=False, require_hash=True))["hash"])

    assert len(hashes) == 1
