"""The quotas of a Gemini project: so many requests and tokens a minute, and requests a day.

They belong to the project and a model, so all keys and all callers of the project use up the same
ones. The day begins at midnight in California.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import Response

from runbook_nb.packs.control_plane.lab.emulators.gemini_errors import exhausted

MINUTE_S: Final = 60.0
# The first tier that pays.
GENERATE: Final = {
    "requests_a_minute": 1_000,
    "tokens_a_minute": 1_000_000,
    "requests_a_day": 10_000,
}
EMBED: Final = {"requests_a_minute": 3_000, "tokens_a_minute": 1_000_000, "requests_a_day": 20_000}
# What each quota is called in a refusal and in the console: its id, and its metric.
NAMES: Final = {
    "generate": {
        "requests_a_minute": (
            "GenerateRequestsPerMinutePerProjectPerModel",
            "generate_content_paid_tier_requests",
        ),
        "tokens_a_minute": (
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
            "generate_content_paid_tier_input_token_count",
        ),
        "requests_a_day": (
            "GenerateRequestsPerDayPerProjectPerModel",
            "generate_content_paid_tier_requests_per_day",
        ),
    },
    "embed": {
        "requests_a_minute": (
            "EmbedContentRequestsPerMinutePerProjectPerModel",
            "embed_content_paid_tier_requests",
        ),
        "tokens_a_minute": (
            "EmbedContentTokensPerMinutePerProjectPerModel",
            "embed_content_paid_tier_input_token_count",
        ),
        "requests_a_day": (
            "EmbedContentRequestsPerDayPerProjectPerModel",
            "embed_content_paid_tier_requests_per_day",
        ),
    },
}


@dataclass(kw_only=True)
class ModelQuota:
    """The quotas of one model, and what was used of them."""

    model: str
    kind: str
    limits: dict[str, int]
    # What other callers of the project use in each minute.
    others: dict[str, int] = field(default_factory=dict)
    _calls: deque[tuple[float, int]] = field(default_factory=deque)
    _day: str = ""
    _today: int = 0

    def take(self, *, tokens: int) -> Response | None:
        """Take one request out of each quota; a refusal where one of them is used up."""
        used = self.used()
        cost = {"requests_a_minute": 1, "tokens_a_minute": tokens, "requests_a_day": 1}
        for name in ("requests_a_day", "requests_a_minute", "tokens_a_minute"):
            if used[name] + cost[name] > self.limits[name]:
                quota, metric = NAMES[self.kind][name]
                return exhausted(
                    quota=quota,
                    metric=metric,
                    model=self.model,
                    value=self.limits[name],
                    retry_s=self._frees_in_s(name),
                )
        self.use(requests=1, tokens=tokens)
        return None

    def use(self, *, requests: int, tokens: int) -> None:
        """Count requests that were just made."""
        self._turn_day()
        self._today += requests
        each = tokens // max(requests, 1)
        self._calls.extend((time.monotonic(), each) for _ in range(requests))

    def use_today(self, requests: int) -> None:
        """Count requests that were made earlier today."""
        self._turn_day()
        self._today += requests

    def used(self) -> dict[str, int]:
        """Return what is used of each quota now."""
        self._turn_day()
        since = time.monotonic() - MINUTE_S
        while self._calls and self._calls[0][0] < since:
            self._calls.popleft()
        own = {
            "requests_a_minute": len(self._calls),
            "tokens_a_minute": sum(tokens for _, tokens in self._calls),
            "requests_a_day": self._today,
        }
        return {name: used + self.others.get(name, 0) for name, used in own.items()}

    def infos(self) -> Iterator[dict[str, Any]]:
        """Give the quotas as the Cloud Quotas API lists them."""
        for name, value in self.limits.items():
            quota, metric = NAMES[self.kind][name]
            yield {
                "quotaId": quota,
                "metric": metric,
                "interval": "day" if name == "requests_a_day" else "minute",
                "value": value,
                "used": self.used()[name],
            }

    def _frees_in_s(self, name: str) -> float:
        if name == "requests_a_day":
            return until_midnight().total_seconds()
        oldest = self._calls[0][0] if self._calls else time.monotonic()
        return max(1.0, oldest + MINUTE_S - time.monotonic())

    def _turn_day(self) -> None:
        today = datetime.now(_california()).date().isoformat()
        if today != self._day:
            self._day, self._today = today, 0


def until_midnight() -> timedelta:
    """Return how long it is until the day's quotas begin anew."""
    now = datetime.now(_california())
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    return midnight.astimezone(UTC) - now.astimezone(UTC)


def _california() -> tzinfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        # A machine without the zones' files: an hour off in summer.
        return timezone(timedelta(hours=-8))
