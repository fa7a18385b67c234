"""What a command would do if it were run: read only, change something, or nobody knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """What a command does; only what is known to read in each of its parts is READS."""

    READS = "read-only"
    CHANGES = "changing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """An effect, and where it comes from, in words."""

    effect: Effect
    why: str

    @property
    def reads(self) -> bool:
        """Whether each part is known to read."""
        return self.effect is Effect.READS


READS: Final = Judgement(effect=Effect.READS, why="each part is known to read only")


def changes(what: str) -> Judgement:
    """Return that something changes because of these words of a command."""
    return Judgement(effect=Effect.CHANGES, why=what)


def unknown(why: str) -> Judgement:
    """Return that nobody knows, and why."""
    return Judgement(effect=Effect.UNKNOWN, why=why)


def whole(parts: Iterable[Judgement]) -> Judgement:
    """Return what all parts do together: a change in one is a change, and so is not knowing."""
    found = list(parts)
    for effect in (Effect.CHANGES, Effect.UNKNOWN):
        for part in found:
            if part.effect is effect:
                return part
    return READS if found else unknown("it holds no command")
