"""The code that a runbook's calls run has a digest, the same wherever it is installed."""

import json
import shutil
import sys

import pytest

from runbook_nb.errors import ApprovalError
from runbook_nb.runbook.pack_code import loaded_code, pack_digest, running_code
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import runbook_cells

FILES = {
    "__init__.py": "",
    "shared.py": "LIMIT = 1\n",
    "systems/__init__.py": "",
    "systems/crane/__init__.py": "",
    "systems/crane/actions.py": "from ... import shared\n",
    "systems/crane/stop.sql": "select 1\n",
}


@pytest.fixture
def pack(tmp_path):
    """Give a package of this test's own, and take it away again."""
    name = f"quay_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "src" / name
    write(folder)
    sys.path.insert(0, str(folder.parent))
    yield folder
    sys.path.remove(str(folder.parent))
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def runbook(tmp_path, pack):
    """Give a runbook that takes its calls from that package."""
    return naming(tmp_path, f"{pack.name}.systems")


def write(folder):
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def naming(folder, *modules):
    book = runbook_cells()
    lines = ["from runbook_nb import Incident", *(f"from {each} import crane" for each in modules)]
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    book["cells"].insert(2, {**cell, "source": "\n".join(lines)})
    path = folder / "trial.ipynb"
    path.write_text(json.dumps(book))
    return Runbook.read(path)


def test_a_runbook_says_where_its_calls_come_from(runbook, pack, tmp_path):
    """The engine itself is no pack, and a runbook may take from several."""
    assert runbook.imports == (f"{pack.name}.systems",)
    assert naming(tmp_path).imports == ()


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("systems/__")])
def test_any_change_of_the_package_is_another_code(runbook, pack, name):
    """Also of what its calls share, and of the queries beside them."""
    before = pack_digest(runbook)
    (pack / name).write_text("# other\n")

    assert pack_digest(runbook) != before


def test_a_new_a_renamed_and_a_removed_file_are_another_code(runbook, pack):
    """A name decides what is run, too."""
    digests = {pack_digest(runbook)}
    (pack / "new.py").write_text("")
    digests.add(pack_digest(runbook))
    (pack / "new.py").rename(pack / "newer.py")
    digests.add(pack_digest(runbook))
    (pack / "shared.py").unlink()
    digests.add(pack_digest(runbook))

    assert len(digests) == 4


def test_what_no_one_wrote_is_no_code(runbook, pack):
    """Compiled files and those of an editor differ from machine to machine."""
    before = pack_digest(runbook)
    (pack / "__pycache__").mkdir(exist_ok=True)
    (pack / "__pycache__" / "shared.pyc").write_bytes(b"x")
    (pack / ".shared.py.swp").write_text("x")

    assert pack_digest(runbook) == before


def test_the_same_version_elsewhere_has_the_same_digest(runbook, pack, tmp_path):
    """An approver's machine and a worker name one code."""
    before = pack_digest(runbook)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(pack.parent, elsewhere)
    for module in [each for each in sys.modules if each.partition(".")[0] == pack.name]:
        del sys.modules[module]
    sys.path.insert(0, str(elsewhere))
    sys.path_importer_cache.clear()
    try:
        assert pack_digest(runbook) == before
    finally:
        sys.path.remove(str(elsewhere))


def test_code_that_is_not_here_has_no_digest(tmp_path):
    """Nobody can approve what nobody can read."""
    runbook = naming(tmp_path, "no_such_package_anywhere.systems")

    assert pack_digest(runbook) == running_code(runbook) == ""


def test_a_folder_that_is_linked_in_is_not_told(runbook, pack, tmp_path):
    """Where it ends is not in the package's hand."""
    (tmp_path / "far").mkdir()
    (pack / "far").symlink_to(tmp_path / "far")

    assert pack_digest(runbook) == ""


def test_code_that_changed_since_it_was_loaded_is_not_what_runs(runbook, pack):
    """The kernel still has the old one, whatever the disk says and whoever approved that."""
    loaded = loaded_code(runbook)
    assert running_code(runbook) == loaded
    (pack / "shared.py").write_text("LIMIT = 2\n")

    with pytest.raises(ApprovalError):
        running_code(runbook)
    assert loaded_code(runbook) == loaded
