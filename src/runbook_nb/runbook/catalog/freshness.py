"""How long ago a runbook was proven, and whether that is still good enough."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """When a runbook was last validated, None for never, and its review period in days.

    ``age`` is in days; a date that lies in the future has none and proves nothing.
    """

    validated: date | None
    age: int | None
    period: int

    @classmethod
    def of(cls, said: str, *, period: int, today: date) -> "Freshness":
        """Judge the date of a header on a day; what is no date counts as never."""
        try:
            validated = date.fromisoformat(said)
        except ValueError:
            return cls(validated=None, age=None, period=period)
        age = (today - validated).days
        return cls(validated=validated, age=age if age >= 0 else None, period=period)

    @property
    def is_due(self) -> bool:
        """Whether it must be validated again."""
        return self.age is None or self.age > self.period

    @property
    def said(self) -> str:
        """The freshness in words."""
        if self.validated is None:
            return "never validated"
        if self.age is None:
            return f"validated on {self.validated}, which is yet to come"
        ago = {0: "today", 1: "yesterday"}.get(self.age, f"{self.age} days ago")
        return f"stale: validated {ago}" if self.is_due else f"validated {ago}"
