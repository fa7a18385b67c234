"""What importing the package costs, in a fresh process each time."""

import subprocess
import sys

from measure import interleaved, show


def importing(statement: str):
    """Return a case that runs one statement in a fresh interpreter."""
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


CASES = {
    "import json": importing("import json"),
    "import runbook_nb": importing("import runbook_nb"),
    "from runbook_nb import Incident": importing("from runbook_nb import Incident"),
    "import papermill": importing("import papermill"),
}

if __name__ == "__main__":
    show(interleaved(CASES, rounds=15), against="import json")
