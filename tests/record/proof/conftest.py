"""A record that was sealed, and what is said of it after it was changed."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from runbook_nb.record.page import write_record
from runbook_nb.record.proof import ProofResult, signing_seal, verify_record
from story import heartbeat


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give the settings of a user who has no key yet."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def thief(tmp_path: Path) -> dict[str, str]:
    """Give the settings of somebody else, who has another key."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "thief")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of a closed incident with one run, and a working copy of it."""
    path = tmp_path / "INC-2041"
    heartbeat(path)
    cell = nbformat.v4.new_code_cell("incident.check()", outputs=[])
    for place in ("runs", "working"):
        (path / place).mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path / place / "one.ipynb")
        cell = nbformat.v4.new_code_cell("incident.decide()", outputs=[])
    return path


@pytest.fixture
def sealed(folder: Path, environ: dict[str, str]) -> Path:
    """Give a sealed record."""
    write_record(folder, seal=signing_seal(environ))
    return folder


@pytest.fixture
def verified(environ: dict[str, str]) -> Callable[[Path], ProofResult]:
    """Verify a record as the user who has that key."""
    return lambda folder: verify_record(folder, environ=environ)


@pytest.fixture
def said(verified: Callable[[Path], ProofResult]) -> Callable[[Path], list[str]]:
    """Say what differs from the seal of a record, without the details."""
    return lambda folder: [f"{each.change}: {each.path}" for each in verified(folder).problems]
