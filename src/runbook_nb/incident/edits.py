"""The text of the cell that runs, against the text of the runbook and the one that is approved."""

from collections.abc import Callable
from dataclasses import dataclass

from runbook_nb.errors import RunbookError
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.runbook import Runbook


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a responder changed in a cell: the runbook's text, empty for a new cell, and theirs."""

    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class CellTexts:
    """The cells of a run. ``running`` returns the source of the one that runs, "" if unknown.

    ``opened`` is the notebook as it was when the run began, whose digest approvals name;
    ``master`` is the runbook that everybody shares.
    """

    running: Callable[[], str]
    opened: Runbook
    master: Runbook

    def edit(self, verb: str, title: str) -> Edit | None:
        """Return how the running cell differs from the shared runbook; None if it does not."""
        after = self.running()
        return edit_between(self.master, verb, title, after) if after else None

    def is_as_opened(self, verb: str, title: str) -> bool:
        """Tell whether the running cell is the one that the digest of the notebook covers."""
        after = self.running()
        return not after or is_same_cell(_source(self.opened, verb, title), after)


def edit_between(master: Runbook, verb: str, title: str, after: str) -> Edit | None:
    """Return how a step's text differs from that of the shared runbook; None if it does not."""
    before = _source(master, verb, title)
    return None if is_same_cell(before, after) else Edit(before=before, after=after)


def is_same_cell(one: str, other: str) -> bool:
    """Compare what two cells do: comments, quotes and line breaks are no difference."""
    before, after = (Cell(kind="code", source=source) for source in (one, other))
    return before.meaning == after.meaning


def master_of(opened: Runbook) -> Runbook:
    """Return the shared runbook of a working copy; the copy itself where there is none."""
    try:
        return Runbook.find(opened.name)
    except RunbookError:
        return opened


def running_cell() -> str:
    """Return the source of the cell that this kernel runs; "" outside a notebook."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    history = shell.history_manager if shell else None
    return str(history.input_hist_raw[-1]) if history else ""


def _source(runbook: Runbook, verb: str, title: str) -> str:
    step = runbook.step(verb, title)
    return step.source if step else ""
