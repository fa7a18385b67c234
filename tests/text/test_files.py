"""The digest of code follows the code, and misses a package that moved."""

import importlib
import sys

import pytest

from runbook_nb.text.files import code_digest


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
