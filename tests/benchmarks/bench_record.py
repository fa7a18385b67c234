"""One record page, against nbconvert's own page of the same executed notebook.

Give the folder of an incident that a drill has left: ``bench_record.py incidents/INC-2001``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from measure import interleaved, show

from runbook_nb.archive import write_record
from runbook_nb.lean import lean_imports


def main() -> None:
    """Make both pages of one incident in turn; imports are warm."""
    lean_imports()
    from nbconvert import HTMLExporter

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "incident"
        shutil.copytree(sys.argv[1], folder)
        notebook = next((folder / "runs").glob("*.ipynb"))
        medians = interleaved(
            {
                "nbconvert, its own template": lambda: HTMLExporter().from_filename(str(notebook)),
                "record page": lambda: write_record(folder),
            },
            rounds=7,
        )
    show(medians, against="nbconvert, its own template")


if __name__ == "__main__":
    main()
