"""Many incidents at once, each with a real hash chain, for the tests and benchmarks of archives.

They are written as a timeline writes them, but without a sync to disk after each line.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Alert,
    Asked,
    Checked,
    Closed,
    Decided,
    Ended,
    Event,
    Noted,
    Opened,
    Option,
    Outcome,
    Started,
    Verdict,
    Verified,
)
from runbook_nb.timeline.log import GENESIS, hash_of, line_of
from story import evidence

BEGIN = datetime(2025, 1, 3, 2, 40, tzinfo=UTC)
BOOKS = {
    "heartbeat_failure_recovery": ("Heartbeat lag p95", "Silent sessions", "Agent health"),
    "oauth_token_rotation": ("Expired connections", "Keys due for rotation", "Refresh errors"),
    "rls_policy_debugging": ("Rows seen by others", "Policies that differ", "Write probe"),
    "supabase_backup_restore": ("Age of the newest backup", "Objects missing", "Restore proof"),
}
PEOPLE = ("Ada", "Benoît", "Chiara", "Dmitri", "Esi")
CAUSES = (
    "an export of all rows held the loop",
    "the certificate of the proxy ran out",
    "a migration left a policy behind",
    "the queue of the worker was full",
    "a partner throttled the toolkit of the tenant",
)


def write_many(incidents: Path, count: int, *, first: int = 3001, titles: str = "") -> None:
    """Write so many closed incidents; each is another one, and the same on every machine."""
    for number in range(first, first + count):
        write_chain(incidents / f"INC-{number}", list(_night(number, titles)))


def write_chain(folder: Path, events: list[Event]) -> Path:
    """Write a whole timeline at once; its bytes are those that a timeline would have written."""
    before, lines = GENESIS, []
    for place, event in enumerate(events, start=1):
        stored = {**_plain(event), "kind": event.kind, "seq": place, "prev": before}
        before = hash_of(stored)
        lines.append(line_of(stored, before))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "timeline.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def _plain(event: Event) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(_adapter(type(event)).dump_json(event))
    return plain


@cache
def _adapter(kind: type[Event]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _night(number: int, titles: str) -> Iterator[Event]:
    chance = random.Random(number)  # noqa: S311 - the same nights on every machine
    book = chance.choice(list(BOOKS))
    at = BEGIN + timedelta(hours=5.3 * (number % 3000), seconds=chance.randrange(9000))
    who, cause = chance.choice(PEOPLE), chance.choice(CAUSES)
    run = f"{at:%Y%m%dT%H%M%SZ}-{book}"
    told = {"run": run, "by": who}
    failed = chance.sample(BOOKS[book], chance.randrange(3))

    def after(seconds: float) -> datetime:
        nonlocal at
        at += timedelta(seconds=seconds)
        return at

    alert = Alert(
        name=f"{book.split('_')[0].title()}Alert",
        fingerprint=f"{number:x}",
        summary=f"Tenant t-{number * 7919 % 100_003} is affected",
        starts_at=at - timedelta(seconds=chance.randrange(10, 400)),
    )
    title = titles or f"{book.replace('_', ' ').capitalize()}: {cause}"
    yield Opened(
        at=at,
        by="alertmanager",
        incident=f"INC-{number}",
        title=title,
        severity=chance.choice(("SEV1", "SEV2", "SEV2", "SEV3", "SEV3")),
        runbook=book,
        environment="production",
        alert=alert,
    )
    yield Started(
        at=after(30),
        runbook=book,
        runbook_digest="9f" * 32,
        environment="production",
        parameters={"window_s": 900},
        attended=chance.random() < 0.5,
        **told,
    )
    for check in BOOKS[book]:
        verdict = Verdict.FAIL if check in failed else Verdict.PASS
        reading = evidence(8.2 if check in failed else 0.4, "s", read_at=at)
        yield Checked(
            at=after(2),
            title=check,
            verdict=verdict,
            evidence=reading,
            expect="at most 5 s",
            **told,
        )
    yield from _resolved(after, failed, told, chance)
    yield Noted(
        at=after(60), text=f"We found that {cause}. Ticket OPS-{number * 31 % 9973}.", **told
    )
    yield Ended(at=after(1), runbook=book, complete=True, took_s=90.0, **told)
    is_drill = number % 10 == 0
    yield Closed(
        at=after(chance.randrange(600, 90_000)), by=who, resolution="drill" if is_drill else cause
    )


def _resolved(after: Any, failed: list[str], told: Any, chance: random.Random) -> Iterator[Event]:
    option = "Option A: Restart the agent" if failed else None
    ranked = (Option(heading="Option A: Restart the agent", failed=tuple(failed)),)
    yield Decided(at=after(5), option=option, recommended=option, ranked=ranked, **told)
    if option is None:
        return
    act = {"title": "Restart", "call": "agent.restart()", "option": option, "because": failed[0]}
    yield Acting(at=after(20), risk="Calls are cut.", undo="None needed.", **act, **told)
    yield Acted(at=after(chance.randrange(5, 900)), outcome=Outcome.DONE, **act, **told)
    passes = chance.random() < 0.8
    for check in failed:
        yield Verified(
            at=after(21),
            title=check,
            verdict=Verdict.PASS if passes else Verdict.FAIL,
            readings=2 if passes else 0,
            wanted=2,
            took_s=20.4,
            waited=True,
            evidence=evidence(0.4 if passes else 7.1, "s"),
            expect="at most 5 s",
            **told,
        )
    answer = "Done." if chance.random() < 0.7 else None
    yield Asked(
        at=after(40), question="Tell customer success.", owner="Lead", answer=answer, **told
    )
