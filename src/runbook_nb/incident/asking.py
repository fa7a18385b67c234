"""Who is asked what: kept beside an incident for as long as a kernel waits for an answer.

A box for an answer stands in one tab only. By this, others are told that somebody is asked, and a
kernel whose tab is gone can be freed.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.text.files import PRIVATE_FOLDER, write_atomically


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that waits: of which kernel (a process), since when, and to whom."""

    text: str
    by: str
    since: datetime
    process: int


def announced(ask: Callable[[str], str], *, place: Path, by: str) -> Callable[[str], str]:
    """Return what asks, and keeps at ``place`` that it does."""

    def asks(text: str) -> str:
        with _kept(Question(text=text, by=by, since=datetime.now(UTC), process=os.getpid()), place):
            return ask(text)

    return asks


def asked_at(place: Path) -> Question | None:
    """Return the question that waits there; None where none does, or its process has ended."""
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        question = Question(**{**told, "since": datetime.fromisoformat(told["since"])})
        os.kill(question.process, 0)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return question


@contextmanager
def _kept(question: Question, place: Path) -> Iterator[None]:
    told = {**asdict(question), "since": question.since.isoformat()}
    # To be asked matters more than that others know of it.
    with suppress(OSError):
        place.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        write_atomically(place, json.dumps(told), private=True, sync=lambda _file: None)
    try:
        yield
    finally:
        with suppress(OSError):
            place.unlink()
