"""What must hold for every draft, whatever its source, said without the help of drafting."""

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.authoring.importer import Imported
from runbook_nb.authoring.lint import Severity, lint
from runbook_nb.runbook.pair import out_of_date
from runbook_nb.runbook.runbook import Runbook

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
# What only the author, or a later command, can put right; every other rule must hold at once.
FOR_THE_AUTHOR = {
    "check-headings",  # Diagnosis has no check: commands are manual steps until one is written
    "classified",
    "command",
    "contacts-text",
    "drilled",
    "escalation",
    "filled-in",
    "host",
    "if-failed",  # no option is taken for one that the author means
    "owner",
    "pair",
    "reachable",
    "related-text",
    "secret",
}
PROMPT = re.compile(
    r"^\s*(?:\[?[\w.-]+@[\w.-]+[^$#%>]*[$#%>]|[$%]|PS [^>]*>|[A-Z]:\\[^>]*>|[\w-]+=[#>]"
    r"|(?:mysql|sqlite|mongo|redis [\w.:-]+|[\d.]+:\d+(?:\[\d+\])?)>|>>>)\s+(?=\S)"
)
LINE_ENDS = "\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]"


def demand_whole(text: str, written: Imported) -> None:
    """Demand that each line that is not blank is in the draft, signs of Markdown left out."""
    letters = _letters(written.path.read_text(encoding="utf-8"))
    for line in re.sub(LINE_ENDS, "\n", text.removeprefix("\ufeff")).split("\n"):
        fence = re.sub(r"^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)+(?=```|~~~)", "", line)
        readings = (line, PROMPT.sub("", line), fence)
        assert any(_letters(reading) in letters for reading in readings), line


def demand_sound(written: Imported, *, runbooks: Path, now: datetime) -> None:
    """Demand a pair that is in step, runs nothing, and breaks only rules that are reported."""
    assert out_of_date(written.path) == []
    book = Runbook.read(written.path.with_suffix(".ipynb"))
    verbs = {step.verb for step in book.steps}
    assert "decide" in verbs <= {"ask", "check", "decide"}
    for source in _cells(written.path.with_suffix(".ipynb"))[2:]:
        (node,) = ast.parse(source).body
        said = ast.unparse(node)
        assert said.startswith(("incident.ask(", "incident.decide()", "incident.check("))
        # A check is a guess: it does not run before its author has filled in what it lacks.
        assert "Fill in:" in said or not said.startswith("incident.check(")
    reported = {(gap.line, gap.kind) for gap in written.gaps}
    lines = {gap.line for gap in written.gaps}
    for found in lint([written.path], folder=runbooks, now=now):
        if found.severity is Severity.ERROR:
            assert found.rule in FOR_THE_AUTHOR, found
            assert (
                (found.line, found.rule) in reported
                or found.line in lines
                or ("Fill in" in found.message)
            ), found


def _cells(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
