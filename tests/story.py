"""Incidents told event by event, for the tests of cards, records and archives."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Alert,
    Approved,
    Asked,
    Checked,
    Closed,
    Decided,
    Ended,
    Event,
    Evidence,
    Noted,
    Opened,
    Option,
    Outcome,
    SeverityTerms,
    Started,
    Terms,
    Verdict,
    Verified,
)
from runbook_nb.timeline.incidents import declare
from runbook_nb.timeline.log import Timeline, hash_of, line_of
from runbook_nb.timeline.writer import WritableTimeline

START = datetime(2026, 11, 23, 18, 4, 0, tzinfo=UTC)
RUN = "20261123T180404.000000Z-streaming-heartbeat"
LAG = "Heartbeat lag p95 over 15 minutes"
RESTART = "Option A: Restart the agent"
UNBUFFER = "Option B: Stop the edge from buffering"
ALERT = Alert(
    name="HeartbeatLagHigh",
    fingerprint="ab12",
    severity="critical",
    summary="Heartbeat lag p95 above 8 s for 2 minutes",
)
ACTION: dict[str, Any] = {
    "title": "Restart the agent",
    "call": "agent.restart(machine='all')",
    "option": RESTART,
    "because": LAG,
    "risk": "Tool calls in flight are cut; sessions resume from their last checkpoint.",
    "undo": "None needed: a restart keeps the release.",
    "rehearsal": {"request": "POST /v1/apps/agent/machines/1/restart", "sessions": 8},
}
TERMS = Terms(
    severities=(
        SeverityTerms(name="SEV1", update_every_s=900, escalate_after_s=1800),
        SeverityTerms(name="SEV2", update_every_s=900, escalate_after_s=3600),
        SeverityTerms(name="SEV3", update_every_s=900),
    ),
    next_level=("Engineering Lead", "VP Engineering"),
    update_channel="#incidents",
    closing_channel="#incidents",
)
E = TypeVar("E", bound=Event)


def opened_incident(folder: Path, **words: Any) -> WritableTimeline:
    """Open INC-1 in the folder of all incidents, or join it, with other words where given."""
    known = {
        "incident": "INC-1",
        "title": "Heartbeat lag",
        "severity": "SEV2",
        "runbook": "heartbeat_failure_recovery",
        "environment": "lab",
        "by": "sam",
        "alert": None,
        "redactor": Redactor(),
    }
    return declare(folder, **{**known, **words})


def evidence(answer: object, unit: str = "", **words: Any) -> Evidence:
    """Return one reading of the database, taken a moment before it was judged."""
    asked = ("select percentile_cont(0.95)\nfrom telemetry_events\n-- with window = 15 min",)
    known = {"source": "database", "asked": asked, "took_s": 0.042, "read_at": START, **words}
    return Evidence(question="streams.heartbeat_lag_p95()", answer=answer, unit=unit, **known)


def checked(**words: Any) -> Checked:
    """Return a failed reading of the heartbeat lag, with other words where given."""
    known = {
        "at": START + timedelta(seconds=5),
        "title": LAG,
        "verdict": Verdict.FAIL,
        "evidence": evidence(9.4012, "s"),
        "expect": "at most 5 s",
        "fail": "above 8 s",
        "if_failed": RESTART,
    }
    return Checked(**{**known, **words})


class Story:
    """A timeline that grows by one second an event."""

    def __init__(self, folder: Path) -> None:
        self.timeline = WritableTimeline(folder / "timeline.jsonl", redactor=Redactor())
        self.at = START

    def tell(self, kind: type[E], *, after: float = 1, **words: Any) -> E:
        """Append one event ``after`` seconds later."""
        self.at += timedelta(seconds=after)
        return self.timeline.append(kind(**{"at": self.at, "run": RUN, "by": "alice", **words}))

    def forge(self, kind: type[Event], **words: Any) -> None:
        """Append an event past the writer, as an older program or a forger would; it fits."""
        event = kind(**{"at": self.at, "run": RUN, "by": "alice", **words})
        place = {"kind": event.kind, "seq": len(self.timeline) + 1, "prev": self.timeline.head}
        stored = {**Redactor().clean(event), **place}
        self.timeline.path.parent.mkdir(parents=True, exist_ok=True)
        with self.timeline.path.open("ab") as file:
            file.write(line_of(stored, hash_of(stored)))

    def opens(
        self,
        *,
        title: str = "Streaming heartbeat fails",
        severity: str = "SEV2",
        alert: Alert = ALERT,
        terms: Terms = TERMS,
    ) -> None:
        """Open by alert and start an attended run."""
        self.tell(
            Opened,
            after=0,
            run="",
            by="alertmanager",
            incident=self.timeline.path.parent.name,
            title=title,
            severity=severity,
            runbook="streaming-heartbeat",
            environment="lab",
            alert=alert,
            terms=terms,
        )
        self.tell(
            Started,
            after=4,
            runbook="streaming-heartbeat",
            runbook_digest="9f" * 32,
            environment="lab",
            parameters={"window_min": 15},
            attended=True,
            notebook="streaming-heartbeat.ipynb",
            versions={"python": "3.11.7"},
        )

    def checks(
        self, title: str, verdict: Verdict, answer: object, unit: str = "", **words: Any
    ) -> None:
        """Read one check."""
        reading = {"expect": "at most 5 s", "evidence": evidence(answer, unit, read_at=self.at)}
        self.tell(Checked, **{"title": title, "verdict": verdict, **reading, **words})

    def verifies(self, title: str, verdict: Verdict, answer: object, unit: str = "") -> None:
        """Verify one check."""
        self.tell(
            Verified,
            after=21,
            title=title,
            verdict=verdict,
            readings=2 if verdict is Verdict.PASS else 0,
            wanted=2,
            took_s=20.4,
            waited=True,
            evidence=evidence(answer, unit, read_at=self.at),
            expect="at most 5 s",
        )


def heartbeat(folder: Path) -> Timeline:
    """Tell the whole incident: four failed checks of ten, a restart, verified, closed."""
    story = Story(folder)
    story.opens()
    failed = (LAG, "Sessions without a beat", "Longest silence", "Agent answers")
    rows = [{"mission": f"m-{number}", "lag_ms": 8000 + number} for number in range(8)]
    story.checks(
        LAG,
        Verdict.FAIL,
        9.4012,
        "s",
        if_failed=RESTART,
        fail="above 8 s",
        evidence=evidence(9.4012, "s", detail=rows),
    )
    for title in failed[1:]:
        story.checks(title, Verdict.FAIL, 8, "sessions", if_failed=RESTART)
    for number in range(6):
        story.checks(f"Part {number} is well", Verdict.PASS, number, "ms")
    story.tell(
        Decided,
        option=RESTART,
        recommended=RESTART,
        verdict=Verdict.FAIL,
        ranked=(Option(heading=RESTART, failed=failed), Option(heading=UNBUFFER)),
        reason=f"Failed: {', '.join(failed)}.",
    )
    story.tell(
        Approved,
        option=RESTART,
        text="ab" * 32,
        parameters="cd" * 32,
        by="bob",
        requested_by="alice",
        expires_at=START + timedelta(minutes=30),
    )
    story.tell(Acting, approved_by="bob", **ACTION)
    story.tell(Acted, outcome=Outcome.DONE, result={"state": "started"}, took_s=4.1, **ACTION)
    for title in failed:
        story.verifies(title, Verdict.PASS, 0.41, "s")
    story.tell(Asked, question="Tell customer success.", owner="Incident lead", answer="Done.")
    story.tell(Asked, question="Open a ticket.", owner="Agent team", by="")
    story.tell(Noted, text="The agent hung since the export of 1,050,000 rows.")
    story.tell(Ended, runbook="streaming-heartbeat", complete=True, took_s=120)
    story.tell(Closed, resolution="Agent restarted.")
    return story.timeline


def healthy(folder: Path) -> Timeline:
    """Tell an incident in which nothing was wrong."""
    story = Story(folder)
    story.opens()
    for number in range(3):
        story.checks(f"Part {number} is well", Verdict.PASS, number, "ms")
    story.tell(
        Decided,
        option=None,
        recommended=None,
        verdict=Verdict.PASS,
        try_next=("database-degraded",),
        reason="Every check passed.",
    )
    story.tell(Ended, runbook="streaming-heartbeat", complete=True, took_s=9)
    story.tell(Closed)
    return story.timeline


def cut_off(folder: Path) -> Timeline:
    """Tell an incident whose run died between sending an action and its outcome."""
    story = Story(folder)
    story.opens()
    story.checks(LAG, Verdict.FAIL, 9.4, "s", if_failed=RESTART)
    story.tell(Decided, option=RESTART, recommended=RESTART, verdict=Verdict.FAIL)
    story.tell(Acting, approved_by="bob", **ACTION)
    return story.timeline


class Elements(HTMLParser):
    """The elements of a page as a browser makes them: tags, attributes, and what stays open."""

    VOID = frozenset({"meta", "link", "img", "br", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str, str]] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.tags.add(tag)
        self.attributes.update((tag, name, value or "") for name, value in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Expect the element that opened last."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def runs_something(self) -> bool:
        """Tell whether any element could run a script or load something."""
        loads = {"script", "iframe", "object", "embed", "svg", "base", "form"} & self.tags
        return bool(loads) or any(
            name.startswith("on")
            or (name in ("src", "href", "action") and not value.startswith(("#", "data:image")))
            for tag, name, value in self.attributes
            if (tag, value) != ("link", "data:,")
        )
