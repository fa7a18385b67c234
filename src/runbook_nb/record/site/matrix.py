"""The newest matrix of drills, kept beside the incidents: every fault seen by every runbook."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.text.files import write_atomically

FILE: Final = ".matrix.json"


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """What one runbook made of one fault; ``is_right`` where nobody is led astray."""

    fault: str
    runbook: str
    answer: str
    option: str | None
    failed: tuple[str, ...]
    is_right: bool
    took_s: float


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """All cells of one matrix, and when it was run."""

    at: datetime
    cells: tuple[MatrixCell, ...]

    @property
    def runbooks(self) -> list[str]:
        """The runbooks that looked, by name."""
        return sorted({cell.runbook for cell in self.cells})

    @property
    def rows(self) -> list[tuple[str, list[MatrixCell | None]]]:
        """Each fault with its cells in the order of the runbooks; None where one did not look."""
        known = {(cell.fault, cell.runbook): cell for cell in self.cells}
        faults = sorted({cell.fault for cell in self.cells})
        return [(fault, [known.get((fault, name)) for name in self.runbooks]) for fault in faults]

    @property
    def wrong(self) -> list[MatrixCell]:
        """The cells that are wrong, by fault and runbook."""
        found = (cell for cell in self.cells if not cell.is_right)
        return sorted(found, key=lambda cell: (cell.fault, cell.runbook))


def keep_matrix(incidents: Path, cells: Iterable[Mapping[str, Any]], *, at: datetime) -> Path:
    """Keep a matrix in the place of the one before; return its file."""
    incidents.mkdir(parents=True, exist_ok=True)
    told = {"at": at.astimezone(UTC).isoformat(), "cells": [dict(cell) for cell in cells]}
    write_atomically(incidents / FILE, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return incidents / FILE


def kept_matrix(incidents: Path) -> Matrix | None:
    """Return the matrix that was kept; None where there is none, or what is there is none."""
    try:
        told = json.loads((incidents / FILE).read_text(encoding="utf-8"))
        cells = tuple(
            MatrixCell(**{**cell, "failed": tuple(cell["failed"])}) for cell in told["cells"]
        )
        return Matrix(at=datetime.fromisoformat(told["at"]), cells=cells)
    except (OSError, ValueError, KeyError, TypeError):
        return None
