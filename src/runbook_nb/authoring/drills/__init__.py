"""Drills: faults that prove a runbook."""

from runbook_nb.authoring.drills.experiment import (
    DrillResult,
    find_drills,
    lab_of,
    run_drill,
)
from runbook_nb.authoring.drills.matrix import (
    matrix_line,
    matrix_table,
    owners_of,
    run_matrix,
    sampled,
)
from runbook_nb.authoring.drills.series import alone_on_lab, drill_all, first_drill, table
from runbook_nb.authoring.drills.situations import (
    SituationResult,
    run_situation,
    run_situations,
)

__all__ = [
    "DrillResult",
    "SituationResult",
    "alone_on_lab",
    "drill_all",
    "find_drills",
    "first_drill",
    "lab_of",
    "matrix_line",
    "matrix_table",
    "owners_of",
    "run_drill",
    "run_matrix",
    "run_situation",
    "run_situations",
    "sampled",
    "table",
]
