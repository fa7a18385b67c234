"""Gemini's REST API, as the agent uses it: one turn of the model decides what comes next."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

_TURN_TIMEOUT_S: Final = 10.0
# The planner's own first line; what the mission is about follows it.
PREAMBLE: Final = "Plan the next step of this mission."


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What became of one turn; ``error_code`` is None when the model answered.

    ``error_code`` is Google's status, or SAFETY for an answer that was held back. ``http_status``
    is 0 without an answer; ``quota_id`` and ``retry_after_seconds`` come with a used up quota.
    """

    model: str
    error_code: str | None = None
    http_status: int = 0
    quota_id: str | None = None
    retry_after_seconds: int | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as telemetry keeps it."""
        return asdict(self)

    def usage(self) -> dict[str, Any]:
        """Return what it cost, in the words that telemetry has for a tool call."""
        return {
            "model": self.model,
            "prompt_tokens": self.prompt_tokens,
            "output_tokens": self.output_tokens,
            "token_usage": self.prompt_tokens + self.output_tokens,
        }


class GeminiClient:
    """Asks one model with one key, and once: Google's own client retries nothing either."""

    def __init__(self, *, url: str, key: str, model: str) -> None:
        address = urlsplit(url)
        self._address, self._secured, self._key = address.netloc, address.scheme == "https", key
        self.model = model

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "GeminiClient | None":
        """Make the client that a machine's environment describes; None where it names no model."""
        url, model = environment.get("GEMINI_URL"), environment.get("GEMINI_MODEL")
        if not (url and model):
            return None
        return cls(url=url, key=environment.get("GEMINI_TOKEN", ""), model=model)

    def turn(self, about: str) -> Turn:
        """Have the model decide what comes next; waits up to 10 s."""
        kind = http.client.HTTPSConnection if self._secured else http.client.HTTPConnection
        connection = kind(self._address, timeout=_TURN_TIMEOUT_S)
        text = f"{PREAMBLE}\n{about}"
        try:
            connection.request(
                "POST",
                f"/v1beta/models/{self.model}:generateContent",
                body=json.dumps({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
                headers={"content-type": "application/json", "x-goog-api-key": self._key},
            )
            answer = connection.getresponse()
            return self._judged(answer.status, json.loads(answer.read()))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            return Turn(model=self.model, error_code=type(error).__name__)
        finally:
            connection.close()

    def _judged(self, status: int, body: dict[str, Any]) -> Turn:
        if status != HTTPStatus.OK:
            return _refused(self.model, status, body["error"])
        used = body["usageMetadata"]
        held_back = body.get("promptFeedback", {}).get("blockReason")
        return Turn(
            model=self.model,
            error_code=held_back,
            http_status=status,
            prompt_tokens=used["promptTokenCount"],
            output_tokens=used.get("candidatesTokenCount", 0),
        )


def _refused(model: str, status: int, told: dict[str, Any]) -> Turn:
    details = {one["@type"].rpartition(".")[2]: one for one in told.get("details", [])}
    violations = details.get("QuotaFailure", {}).get("violations", [{}])
    delay = details.get("RetryInfo", {}).get("retryDelay", "").removesuffix("s")
    return Turn(
        model=model,
        error_code=told["status"],
        http_status=status,
        quota_id=violations[0].get("quotaId"),
        retry_after_seconds=int(delay) if delay.isdigit() else None,
    )
