"""What lint costs for 20, 100 and 500 runbooks, each a pair with drills."""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runbook_nb.runbook import pair

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MODEL = "heartbeat_failure_recovery"
LINT = (
    "import sys; from datetime import UTC, datetime; from pathlib import Path; "
    "from runbook_nb.authoring.lint import lint; "
    "print(len(lint([], folder=Path(sys.argv[1]), now=datetime.now(UTC))))"
)


def fill(folder: Path, count: int) -> None:
    """Write so many copies of the model, each under its own name with alerts of its own."""
    (folder / "drills").mkdir(parents=True)
    for name in ("contacts.toml", "organisation.toml"):
        shutil.copy(NOTEBOOKS / name, folder)
    text = (NOTEBOOKS / f"{MODEL}.md").read_text(encoding="utf-8")
    alerts = re.findall(r"^    - ([A-Z]\w+)$", text, re.MULTILINE)
    drills = sorted((NOTEBOOKS / "drills").glob(f"{MODEL}.*.json"))
    for number in range(count):
        name = f"runbook_{number:03}"
        copy = text.replace(MODEL, name)
        for alert in alerts:
            copy = copy.replace(alert, f"{alert}{number}")
        path = folder / f"{name}.md"
        path.write_text(copy, encoding="utf-8")
        pair.write(path)
        for drill in drills:
            drilled = drill.read_text(encoding="utf-8").replace(MODEL, name)
            (folder / "drills" / drill.name.replace(MODEL, name)).write_text(drilled)


def measure(count: int) -> str:
    """Return the seconds of a whole process, and the processor's share of it, in words."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "notebooks"
        fill(folder, count)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-c", LINT, folder], check=True, capture_output=True)
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    each = busy / count * 1000
    return f"{count:4} runbooks: {took:6.2f} s, {busy:6.2f} s of it computing, {each:5.1f} ms each"


def main() -> None:
    """Print how the time grows with the number of runbooks."""
    for count in (20, 100, 500):
        print(measure(count), flush=True)


if __name__ == "__main__":
    main()
