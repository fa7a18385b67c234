"""Alert rules over alerting itself: what changed hands since the rules were last touched."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.packs.control_plane.lab.alerting.files import (
    ROUTES,
    SILENCES,
    place,
)
from runbook_nb.packs.control_plane.lab.alerting.files import RULES as RULE_FILE
from runbook_nb.packs.control_plane.lab.alerting.weeks import Paged, read_weeks
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule
from runbook_nb.packs.control_plane.lab.state import LabState

_UNACTED: Final = 8
_LONGEST: Final = timedelta(days=7)


def _pages_unacted(lab: LabState, _connection: Any) -> bool:
    return sum(not one.noted for one in _since_changed(lab.folder)) >= _UNACTED


def _incident_untold(lab: LabState, _connection: Any) -> bool:
    return any(one.priority and not one.alert for one in _since_changed(lab.folder))


def _silence_lasts(lab: LabState, _connection: Any) -> bool:
    now = datetime.now(UTC)
    return any(
        ends > now and ends - datetime.fromisoformat(one["startsAt"]) > _LONGEST
        for one in _silences(lab.folder)
        if (ends := datetime.fromisoformat(one["endsAt"]))
    )


def _rule_unowned(lab: LabState, _connection: Any) -> bool:
    text = place(lab.folder, RULE_FILE).read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return any("runbook" not in (rule.get("annotations") or {}) for rule in rules)


def _since_changed(lab: Path) -> Iterable[Paged]:
    """Return the pages since somebody last touched rules, routes or silences."""
    touched = [place(lab, name).stat().st_mtime for name in (RULE_FILE, ROUTES)]
    silenced = [datetime.fromisoformat(one["updatedAt"]).timestamp() for one in _silences(lab)]
    changed = max(*touched, *silenced)
    return [one for one in read_weeks(lab).pages if one.begins > changed]


def _silences(lab: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place(lab, SILENCES).read_text(encoding="utf-8"))
    return found


RULES: Final = (
    AlertRule(
        name="PagesUnacted",
        severity="warning",
        service="alerting",
        summary="Eight pages or more resolved by themselves since the rules were last changed.",
        fires=_pages_unacted,
    ),
    AlertRule(
        name="IncidentUntold",
        severity="warning",
        service="alerting",
        summary="People declared an incident that no alert told, and no rule was changed since.",
        fires=_incident_untold,
    ),
    AlertRule(
        name="SilenceWithoutEnd",
        severity="warning",
        service="alerting",
        summary="A silence lasts longer than a week.",
        fires=_silence_lasts,
    ),
    AlertRule(
        name="RuleUnowned",
        severity="warning",
        service="alerting",
        summary="A rule that pages names no runbook.",
        fires=_rule_unowned,
    ),
)
