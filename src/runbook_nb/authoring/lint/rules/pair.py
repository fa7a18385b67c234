"""Rules about the notebook beside the Markdown: the same text, and no outputs."""

from collections.abc import Iterator

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import RunbookError, RunbookFormatError
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.pair import out_of_date
from runbook_nb.runbook.twin import is_twin


@rule(
    "pair",
    reason="Responders open the notebook; reviewers read the Markdown.",
    fix="Edit the Markdown alone, then run `runbook fmt`.",
)
def pair(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep the notebook as the Markdown says."""
    if is_twin(page.document):
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
def outputs(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Keep outputs and execution counts out of the notebook."""
    try:
        cells = Document.read(page.path.with_suffix(".ipynb")).cells
    except (RunbookFormatError, OSError):
        return  # What is no notebook is a finding of the rule above.
    for number, cell in enumerate(cell for cell in cells if cell.is_code):
        if cell.was_run:
            line = page.cells[number].line if number < len(page.cells) else 1
            yield Flaw(line=line, message=f"Code cell {number + 1} of the notebook was run.")
