"""Hold runbooks to the rules of the organisation, without running anything.

::

    for finding in lint([], folder=Path("notebooks"), now=datetime.now(UTC)):
        print(finding.path, finding.line, finding.message)
"""

from runbook_nb.authoring.lint.finding import Finding, Severity, as_json, as_text
from runbook_nb.authoring.lint.linter import lint
from runbook_nb.authoring.lint.rule import Rule
from runbook_nb.authoring.lint.rules import RULES
from runbook_nb.authoring.lint.sarif import as_sarif

__all__ = ["RULES", "Finding", "Rule", "Severity", "as_json", "as_sarif", "as_text", "lint"]
