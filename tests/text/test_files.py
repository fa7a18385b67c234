"""Files are replaced whole and privately; the digest of code follows the code."""

import importlib
import os
import stat
import sys

import pytest

from runbook_nb.text.files import code_digest, write_atomically


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a package with one module, and its folder."""
    folder = tmp_path / "folding_of_tests"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "fold.py").write_text("LIMIT = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(folder.name), folder
    sys.modules.pop(folder.name)


def test_other_code_has_another_digest(package):
    """What it made before is made anew."""
    module, folder = package
    before = code_digest(module)
    assert code_digest(module) == before
    (folder / "fold.py").write_text("LIMIT = 2\n")

    assert code_digest(module) != before


def test_a_package_that_moved_away_is_missed(tmp_path, monkeypatch):
    """What a move leaves behind holds no code, and its digest would never change again."""
    (tmp_path / "folding_that_moved" / "__pycache__").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(FileNotFoundError, match="folding_that_moved holds no code"):
        code_digest(importlib.import_module("folding_that_moved"))


def test_a_package_that_is_gone_since_is_missed(package):
    """Also where it was imported before."""
    module, folder = package
    for path in folder.glob("*.py"):
        path.unlink()
    (folder / "fold.txt").touch()

    with pytest.raises(FileNotFoundError):
        code_digest(module)


@pytest.fixture
def private():
    """Ask for private files, as a shell of a careful user does."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_new_file_is_as_private_as_the_user_asks_for(private, tmp_path):
    """And its folder too."""
    write_atomically(tmp_path / "new" / "file", "x")

    assert stat.S_IMODE((tmp_path / "new" / "file").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_file_keeps_the_mode_that_it_has(private, tmp_path):
    """A script stays one, and what a team shares stays shared."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o664)
    write_atomically(path, "new")

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o664)


def test_the_text_and_then_its_name_are_synced(tmp_path):
    """A power cut leaves the old file or the new one, and not an empty one."""
    path, synced = tmp_path / "file", []

    def sync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, path.exists()))

    write_atomically(path, "x", sync=sync)
    assert synced == [(False, False), (True, True)]


def test_what_cannot_be_written_leaves_the_old_file_and_no_draft(tmp_path):
    """A full disk, or a name that was taken away."""
    path = tmp_path / "file"
    path.write_text("old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new", sync=full)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
