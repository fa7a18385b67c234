"""The hands for faults of alerting: the weeks told anew, rules edited, silences made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.alerting.files import RULES, put, shipped
from runbook_nb.packs.control_plane.lab.alerting.weeks import Story, usual_story
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.state import LabState

Tell = Callable[[Story], None]
# How far the silences of a fault reach where nobody thought of an end.
WITHOUT_END = timedelta(days=3650)


def nothing_more(_story: Story) -> None:
    """Tell the usual weeks and nothing more."""


def edited(*changes: tuple[str, str]) -> str:
    """Return the shipped rules with texts replaced; LabError for one that is not there once."""
    text = shipped(RULES)
    for old, new in changes:
        if text.count(old) != 1:
            message = f"The lab's rules hold {old!r} {text.count(old)} times."
            raise LabError(message)
        text = text.replace(old, new)
    return text


def silence(*, days_ago: float, lasts: timedelta, comment: str, **labels: str) -> dict[str, Any]:
    """Return a silence that began so many days ago and hides what has these labels."""
    begins = datetime.now(UTC) - timedelta(days=days_ago)
    return {
        "id": f"silence-{'-'.join(labels.values())}",
        "startsAt": begins.isoformat(),
        "updatedAt": begins.isoformat(),
        "endsAt": (begins + lasts).isoformat(),
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in labels.items()
        ],
        "createdBy": "ops-oncall@company.com",
        "comment": comment,
    }


def reload(lab: LabState) -> None:
    """Have Prometheus and Alertmanager load their files."""
    for name in ("prometheus", "alertmanager"):
        url = f"http://127.0.0.1:{lab.ports[name]}/-/reload"
        answer = httpx.post(url, trust_env=False, timeout=10)
        if answer.is_error:
            message = f"{name} did not load its file: {answer.text}"
            raise LabError(message)


def restore(lab: LabState) -> None:
    """Put rules, routes, silences and weeks back as they are shipped."""
    put(lab.folder, weeks=usual_story().weeks())
    reload(lab)


def alerting_fault(
    name: str,
    title: str,
    tell: Tell = nothing_more,
    *,
    rules: tuple[tuple[str, str], ...] = (),
    silences: Callable[[], list[dict[str, Any]]] = list,
) -> Fault:
    """Make a fault of weeks that went otherwise, of edited rules, and of silences."""

    def inject(lab: LabState) -> None:
        story = usual_story()
        tell(story)
        put(lab.folder, weeks=story.weeks(), rules=edited(*rules), silences=silences())
        reload(lab)

    return Fault(name=name, title=title, inject=inject, heal=restore)
