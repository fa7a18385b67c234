"""What every channel can do, and the one way in which it fails."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import httpx

PATIENCE_S: Final = 10.0  # of one call; a notice makes two at most


class NotToldError(Exception):
    """A notice was not taken; ``again_after_s`` is how long the channel asks to be left alone."""

    def __init__(self, said: str, *, again_after_s: float = 0.0) -> None:
        super().__init__(said)
        self.again_after_s = again_after_s


class Channel(Protocol):
    """A place where people read; ``place`` is a room or an incident in it."""

    def tell(self, place: str, text: str, mark: str) -> None:
        """Say a text there; ``mark`` is in it. Raises NotToldError where that is not certain."""

    def has(self, place: str, mark: str, *, since: datetime) -> bool:
        """Tell whether a text with this mark was said since; raises NotToldError if unknown."""


def asked(method: str, url: str, *, headers: Mapping[str, str], **request: Any) -> dict[str, Any]:
    """Ask an API and return its answer; raises NotToldError for any other end, without a secret."""
    place = httpx.URL(url).host
    try:
        answer = httpx.request(method, url, headers=dict(headers), timeout=PATIENCE_S, **request)
    except httpx.HTTPError as error:
        message = f"{place} did not answer: {type(error).__name__}."
        raise NotToldError(message) from error
    if answer.is_error:
        again = answer.headers.get("retry-after", "")
        status = f"{answer.status_code} {answer.reason_phrase}".strip()
        message = f"{place} refused it: {status}."
        raise NotToldError(message, again_after_s=float(again) if again.isdecimal() else 0.0)
    try:
        found = answer.json()
    except ValueError as error:
        message = f"{place} answered with what is no JSON."
        raise NotToldError(message) from error
    if not isinstance(found, dict):
        message = f"{place} answered with something else than documented."
        raise NotToldError(message)
    return found
