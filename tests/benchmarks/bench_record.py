"""One record page, against nbconvert's own page of the same executed notebook: time and size.

Give the folder of an incident that a drill has left: ``bench_record.py incidents/INC-2001``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from measure import interleaved, show

from runbook_nb.record.facts import Record
from runbook_nb.record.page import write_record
from runbook_nb.record.page.notebook_html import fragment, read_notebook
from runbook_nb.redaction import Redactor, report_of
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.timeline.folder import RECORDED, TIMELINE
from runbook_nb.timeline.log import Timeline

WHOLE = "nbconvert, its own template"


def main() -> None:
    """Make both pages of one incident in turn, and the parts of ours; imports are warm."""
    lean_imports()
    from nbconvert import HTMLExporter

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "incident"
        shutil.copytree(sys.argv[1], folder)
        notebook = next((folder / "runs").glob("*.ipynb"))
        clean = read_notebook(notebook, redactor=Redactor())
        medians = interleaved(
            {
                WHOLE: lambda: HTMLExporter().from_filename(str(notebook)),
                "record, all of it": lambda: write_record(folder, redactor=Redactor()),
                "  of it: facts from the timeline": lambda: _facts(folder),
                "  of it: masking the notebook anew": lambda: _masked(notebook),
                "  of it: the notebook as HTML": lambda: fragment(clean, prefix="run1-"),
                "  of it: looking for what is not masked": lambda: report_of(
                    folder, lines=TIMELINE, without=RECORDED
                ),
            },
            rounds=7,
        )
        show(medians, against=WHOLE)
        _sizes(folder, HTMLExporter().from_filename(str(notebook))[0])


def _facts(folder: Path) -> None:
    Record.of(Timeline(folder / "timeline.jsonl")).to_json()


def _masked(notebook: Path) -> None:
    read_notebook(notebook, redactor=Redactor())


def _sizes(folder: Path, other: str) -> None:
    """Print both sizes in kB and their ratio; the record's page holds every run."""
    ours, theirs = (folder / "record.html").stat().st_size, len(other.encode())
    runs = len(list((folder / "runs").glob("*.ipynb")))
    print(f"{'size, nbconvert, one notebook':44} {theirs / 1000:9.0f} kB")
    print(f"{f'size, record, {runs} of them':44} {ours / 1000:9.0f} kB   {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
