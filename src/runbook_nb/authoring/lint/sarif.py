"""Findings in SARIF 2.1.0, which code hosts show beside the lines of a change.

Code hosts ask for: a rule with short and full description and help, a message, a relative file
with a first line of at least 1, and a fingerprint that stays when lines move.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.authoring.lint.finding import Finding, shown
from runbook_nb.authoring.lint.rule import Rule
from runbook_nb.authoring.lint.rules import RULES

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT: Final = "%SRCROOT%"


def as_sarif(findings: Sequence[Finding], *, root: Path) -> str:
    """Return a SARIF log with all rules and findings; files are named relative to ``root``."""
    described = [_rule(rule) for rule in RULES]
    places = {rule["id"]: place for place, rule in enumerate(described)}
    driver = {
        "name": "runbook lint",
        "semanticVersion": version("runbook_nb"),
        "rules": described,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder of the checkout."}}},
        "results": list(_results(findings, places, root)),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "name": rule.name.title().replace("-", ""),
        "shortDescription": {"text": rule.says},
        "fullDescription": {"text": rule.reason},
        "help": {
            "text": f"{rule.reason} {rule.fix}",
            "markdown": f"{rule.reason}\n\n**Fix:** {rule.fix}",
        },
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": ["runbook"], "problem.severity": rule.severity.value},
    }


def _results(
    findings: Sequence[Finding], places: Mapping[str, int], root: Path
) -> Iterable[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for found in findings:
        uri = quote(shown(found.path, root))
        # The line is left out: a finding stays the same when text above it grows.
        alike = f"{uri}\n{found.rule}\n{found.message}"
        seen[alike] += 1
        fingerprint = hashlib.sha256(f"{alike}\n{seen[alike]}".encode()).hexdigest()[:32]
        yield {
            "ruleId": found.rule,
            "ruleIndex": places[found.rule],
            "level": found.severity.value,
            "message": {"text": f"{found.message} {found.fix}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": uri, "uriBaseId": ROOT},
                        "region": {"startLine": found.line},
                    }
                }
            ],
            "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        }
