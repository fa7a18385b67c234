"""Whether a file of rules or routes is what its server has loaded.

A change of a file that somebody else has edited, and not loaded, would load their edit unseen.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._alerting.rules import (
    PagingRule,
    inhibitions,
)

_DURATION: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS: Final = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 604_800,
    "y": 31_536_000,
}
# Prometheus writes an expression its own way, in blanks and brackets.
_WRITTEN: Final = re.compile(r"[\s()]")


def demand_rules_loaded(text: str, loaded: Iterable[PagingRule]) -> None:
    """Raise NothingDoneError where a rule of the file is not loaded as the file has it."""
    by_name = {rule.name: rule for rule in loaded}
    groups = (yaml.safe_load(text) or {}).get("groups") or []
    written = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    drifted = [one["alert"] for one in written if _differs(one, by_name.get(one["alert"]))]
    if drifted:
        message = (
            f"The file is not what Prometheus has loaded: {', '.join(drifted)}. "
            "Have the edit reviewed and loaded, or taken back, and look again."
        )
        raise NothingDoneError(message)


def demand_routes_loaded(text: str, loaded: str) -> None:
    """Raise NothingDoneError where the file has other inhibitions than Alertmanager goes by."""
    if inhibitions(text) != inhibitions(loaded):
        message = (
            "The file has other inhibitions than Alertmanager has loaded. "
            "Have the edit reviewed and loaded, or taken back, and look again."
        )
        raise NothingDoneError(message)


def _differs(written: Mapping[str, Any], loaded: PagingRule | None) -> bool:
    if loaded is None:
        return True
    labels = {name: str(value) for name, value in (written.get("labels") or {}).items()}
    # A comparison is written one way only; what is not one is never changed here.
    asks = _WRITTEN.sub("", str(written["expr"])) == _WRITTEN.sub("", loaded.query)
    return (
        _seconds(written.get("for", "0s")) != loaded.hold_s
        or _seconds(written.get("keep_firing_for", "0s")) != loaded.keep_s
        or any(loaded.labels.get(name) != value for name, value in labels.items())
        or (loaded.compared is not None and not asks)
    )


def _seconds(duration: object) -> float:
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(str(duration)))
