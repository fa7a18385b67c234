"""Weeks of alerting as a story: when a figure rose, who was paged, what somebody did about it."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from runbook_nb.timeline.store.embedded.files import write_whole

DAYS: Final = 29  # a day more than the runbook looks back
STEP_S: Final = 60
FOLDER: Final = "alerting"
_FILE: Final = "weeks.json"
# What each figure is while nothing happens.
USUAL: Final = {
    "sse_heartbeat_lag_p95_seconds": 1.4,
    "sse_disconnect_ratio": 0.004,
    "api_latency_p95_seconds": 0.21,
    "toolkit_error_ratio": 0.01,
    "telemetry_last_event_age_seconds": 2.0,
    "job_queue_depth": 12.0,
    "evidence_upload_failure_ratio": 0.0,
    "cross_tenant_reads": 0.0,
}


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A stretch in which a figure stands at another value; times are Unix seconds."""

    metric: str
    begins: float
    ends: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Paged:
    """One page of the past: by an alert, or declared by a person where ``alert`` is empty.

    ``noted`` says that a person wrote what was done; ``priority`` is set on what was declared an
    incident. A page nobody acted on resolves by itself.
    """

    alert: str
    component: str
    begins: float
    ends: float
    noted: bool = False
    priority: str = ""


@dataclass(frozen=True, kw_only=True)
class Weeks:
    """All that happened in the weeks; of the stretches ``missing`` there are no samples."""

    rises: tuple[Rise, ...]
    pages: tuple[Paged, ...]
    usual: dict[str, float]
    missing: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One rule as a story needs it: its name, figure and component."""

    alert: str
    metric: str
    component: str


HEARTBEAT: Final = Subject(
    alert="HeartbeatLagHigh", metric="sse_heartbeat_lag_p95_seconds", component="streams"
)
DROPPED: Final = Subject(alert="StreamsDropped", metric="sse_disconnect_ratio", component="streams")
LATENCY: Final = Subject(
    alert="ApiLatencyHigh", metric="api_latency_p95_seconds", component="platform"
)
TOOLKITS: Final = Subject(
    alert="ToolkitErrorsHigh", metric="toolkit_error_ratio", component="composio"
)
TELEMETRY: Final = Subject(
    alert="TelemetryStopped", metric="telemetry_last_event_age_seconds", component="telemetry"
)
EVIDENCE: Final = Subject(
    alert="EvidenceUploadsFailing", metric="evidence_upload_failure_ratio", component="evidence"
)
JOBS: Final = Subject(alert="JobQueueDeep", metric="job_queue_depth", component="jobs")


class Story:
    """Tells weeks that end now: each line is so many days ago, at an hour of that day."""

    def __init__(self) -> None:
        # On a full minute, so that a figure rises and falls on samples.
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)
        self._rises: list[Rise] = []
        self._pages: list[Paged] = []
        self.usual = dict(USUAL)
        self.missing: list[tuple[float, float]] = []

    def at(self, days: float, minutes: float = 0) -> float:
        """Return the moment so many days ago, and so many minutes later."""
        return (self.now - timedelta(minutes=round(days * 1440 - minutes))).timestamp()

    def rise(self, subject: Subject, days: float, lasts: float, value: float) -> None:
        """Let a figure stand at a value for so many minutes; nobody is paged."""
        begins = self.at(days)
        self._rises.append(
            Rise(metric=subject.metric, begins=begins, ends=begins + lasts * 60, value=value)
        )

    def alert(
        self,
        subject: Subject,
        days: float,
        lasts: float,
        value: float,
        *,
        after: float = 2,
        acted: bool = False,
        priority: str = "",
    ) -> None:
        """Let a figure rise, and its rule page ``after`` minutes."""
        self.rise(subject, days, lasts, value)
        self._pages.append(
            Paged(
                alert=subject.alert,
                component=subject.component,
                begins=self.at(days, after),
                ends=self.at(days, max(lasts, after + 1)),
                noted=acted,
                priority=priority,
            )
        )

    def forget(self, subject: Subject) -> None:
        """Take back all that was told of a subject so far."""
        self._rises = [one for one in self._rises if one.metric != subject.metric]
        self._pages = [one for one in self._pages if one.alert != subject.alert]

    def declare(self, component: str, days: float, lasts: float, priority: str = "P2") -> None:
        """Let a person declare an incident that no alert told."""
        self._pages.append(
            Paged(
                alert="",
                component=component,
                begins=self.at(days),
                ends=self.at(days, lasts),
                noted=True,
                priority=priority,
            )
        )

    def weeks(self) -> Weeks:
        """Return what was told."""
        return Weeks(
            rises=tuple(self._rises),
            pages=tuple(sorted(self._pages, key=lambda one: one.begins)),
            usual=self.usual,
            missing=tuple(self.missing),
        )


def usual_story() -> Story:
    """Return weeks with a page every few days, nearly all acted on, and two real incidents."""
    story = Story()
    story.alert(HEARTBEAT, 26.3, 22, 14.0, acted=True, priority="P2")
    story.alert(HEARTBEAT, 11.6, 9, 10.5, acted=True)
    story.alert(DROPPED, 19.2, 14, 0.06, acted=True)
    story.alert(LATENCY, 23.4, 25, 1.1, after=10, acted=True)
    story.alert(LATENCY, 8.7, 31, 0.9, after=10, acted=True)
    story.alert(TOOLKITS, 15.5, 40, 0.4, after=5, acted=True, priority="P2")
    story.alert(TOOLKITS, 4.8, 12, 0.16, after=5)
    story.alert(TELEMETRY, 17.1, 6, 1100.0, after=0, acted=True)
    story.alert(JOBS, 13.9, 26, 160.0, after=10, acted=True)
    story.alert(JOBS, 6.2, 18, 120.0, after=10)
    return story


def write_weeks(lab: Path, weeks: Weeks) -> None:
    """Keep the weeks in the lab's folder."""
    write_whole(lab / FOLDER / _FILE, json.dumps(asdict(weeks)))


def read_weeks(lab: Path) -> Weeks:
    """Read the weeks kept in the lab's folder."""
    found: dict[str, Any] = json.loads((lab / FOLDER / _FILE).read_text(encoding="utf-8"))
    return Weeks(
        rises=tuple(Rise(**one) for one in found["rises"]),
        pages=tuple(Paged(**one) for one in found["pages"]),
        usual=found["usual"],
        missing=tuple((begins, ends) for begins, ends in found["missing"]),
    )


def samples(weeks: Weeks, metric: str, times: Sequence[float]) -> list[tuple[float, float]]:
    """Return a figure's samples at these times, which ascend; the later of two rises holds."""
    if metric not in weeks.usual:
        return []
    values: list[float | None] = [weeks.usual[metric]] * len(times)
    for rise in weeks.rises:
        if rise.metric == metric:
            for place in _between(times, rise.begins, rise.ends):
                values[place] = rise.value
    for begins, ends in weeks.missing:
        for place in _between(times, begins, ends):
            values[place] = None
    return [(at, value) for at, value in zip(times, values, strict=True) if value is not None]


def within_rises(weeks: Weeks, metric: str, times: Sequence[float]) -> list[float]:
    """Return those of the times, which ascend, at which a figure is not as usual."""
    rises = [rise for rise in weeks.rises if rise.metric == metric]
    places = {place for rise in rises for place in _between(times, rise.begins, rise.ends)}
    return [times[place] for place in sorted(places)]


def _between(times: Sequence[float], begins: float, ends: float) -> range:
    return range(bisect_left(times, begins), bisect_left(times, ends))
