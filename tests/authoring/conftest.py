"""What the tests of drafting share: a folder of runbooks, and drafts written beside it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from drafting_kept import NOW

from runbook_nb.authoring.importer import Imported, draft, parse_source, write_drafts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    """A folder of runbooks that holds none yet, only the contacts and the policy."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("contacts.toml", "organisation.toml"):
        shutil.copy(ROOT / "notebooks" / name, folder)
    return folder


@pytest.fixture
def take_in(tmp_path: Path, runbooks: Path) -> Callable[..., Imported]:
    """Import a text as a draft and return it with its gaps."""

    def import_text(text: str, *, name: str = "trial") -> Imported:
        source = parse_source("trial.md", text.encode())
        drafted = draft(source, runbooks=runbooks, now=NOW, name=name)
        (written,) = write_drafts([drafted], to=tmp_path / "drafts", runbooks=runbooks, now=NOW)
        return written

    return import_text
