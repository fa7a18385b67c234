"""Rules about the notebook beside the Markdown: the same text, and no outputs."""

import json
from collections.abc import Iterator

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.in_sync import is_twin
from runbook_nb.authoring.lint.page import Page
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import RunbookError
from runbook_nb.runbook.pair import out_of_date


@rule(
    "pair",
    reason="Responders open the notebook; reviewers read the Markdown.",
    fix="Edit the Markdown alone, then run `runbook fmt`.",
)
def pair(page: Page, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep the notebook as the Markdown says."""
    if is_twin(page):
        return
    # Only where the quick comparison sees a difference does the slow, exact one decide.
    try:
        files = out_of_date(page.path)
    except (RunbookError, OSError, IndexError, TypeError, AttributeError) as error:
        yield Flaw(line=1, message=f"The pair cannot be compared: {error}")
        return
    for file in files:
        there = "differs from what it should hold" if file.is_file() else "is missing"
        yield Flaw(line=1, message=f"{file.name} {there}.")


@rule(
    "outputs",
    reason="Outputs in the master are of another night, and may hold what nobody may read.",
    fix="Run `runbook fmt`; work in the copy that `runbook open` makes.",
)
def outputs(page: Page, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep outputs and execution counts out of the notebook."""
    try:
        notebook = json.loads(page.path.with_suffix(".ipynb").read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        ran = [bool(cell.get("outputs") or cell.get("execution_count")) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # What is no notebook is a finding of the rule above.
    for number, had_run in enumerate(ran):
        if had_run:
            line = page.cells[number].line if number < len(page.cells) else 1
            yield Flaw(line=line, message=f"Code cell {number + 1} of the notebook was run.")
