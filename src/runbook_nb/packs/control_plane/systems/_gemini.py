"""The Gemini API: which models it serves, and the vectors of texts."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

if TYPE_CHECKING:
    import httpx

API: Final = "/v1beta"
# What the library's index takes; a longer vector is cut, and scaled to length 1 again.
DIMENSIONS: Final = 1536
# The partner takes so many texts at once.
BATCH: Final = 100
# Questions that it takes by POST; each counts against a quota and changes nothing.
_QUESTIONS: Final = ("batchEmbedContents", "countTokens", "generateContent")
# What the planner says first in each of its turns: a filter that holds this back holds back all.
PREAMBLE: Final = "Plan the next step of this mission."
_WORDS: Final = {
    HTTPStatus.TOO_MANY_REQUESTS: "quota used up",
    HTTPStatus.SERVICE_UNAVAILABLE: "overloaded",
    HTTPStatus.NOT_FOUND: "no such model",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.UNAUTHORIZED: "forbidden",
}


def embed(systems: Systems, texts: Sequence[str]) -> list[list[float]]:
    """Return a vector of length 1 for each text, by the model that the settings name.

    Raises NoAnswerError where the service refuses, or gives something else than such vectors.
    """
    found: list[list[float]] = []
    for start in range(0, len(texts), BATCH):
        found += _batch(systems, texts[start : start + BATCH])
    return found


def ask_to_embed(systems: Systems, texts: Sequence[str]) -> "httpx.Response":
    """Send one batch of texts to be embedded and return what came back, an error too."""
    model = f"models/{systems.setting('gemini', 'embedding_model')}"
    requests = [
        {
            "model": model,
            "content": {"parts": [{"text": text}]},
            "outputDimensionality": DIMENSIONS,
        }
        for text in texts
    ]
    return systems.http("gemini").ask(
        f"{API}/{model}:batchEmbedContents", json={"requests": requests}, writes=_writes
    )


def generate(systems: Systems, model: str) -> str:
    """Have a model make a few words, and say in a word how that went; it takes one request."""
    body = {
        "contents": [{"role": "user", "parts": [{"text": f"{PREAMBLE}\nThis is a test."}]}],
        "generationConfig": {"maxOutputTokens": 8},
    }
    path = f"{API}/models/{model}:generateContent"
    answer = systems.http("gemini").ask(path, json=body, writes=_writes)
    if (word := answer_word(answer)) != "ok":
        return word
    reason = answer.json().get("promptFeedback", {}).get("blockReason")
    return f"held back: {reason}" if reason else "ok"


def count_tokens(systems: Systems, model: str) -> str:
    """Have a model's tokens counted, which takes nothing of a quota; say in a word how it went."""
    body = {"contents": [{"role": "user", "parts": [{"text": PREAMBLE}]}]}
    path = f"{API}/models/{model}:countTokens"
    return answer_word(systems.http("gemini").ask(path, json=body, writes=_writes))


def answer_word(answer: "httpx.Response") -> str:
    """Say in a word how Gemini answered: ``ok``, or which kind of refusal it is."""
    status = HTTPStatus(answer.status_code)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if status == HTTPStatus.OK:
        return "ok" if kind == "application/json" else "not JSON"
    if status == HTTPStatus.BAD_REQUEST and "API_KEY_INVALID" in answer.text:
        return "key refused"
    if status == HTTPStatus.FORBIDDEN and "BILLING_DISABLED" in answer.text:
        return "billing closed"
    return _WORDS.get(status, f"HTTP {status.value}")


def models(systems: Systems) -> dict[str, dict[str, Any]]:
    """Return the models that are served to our key, by name, all pages of the list."""
    found: dict[str, dict[str, Any]] = {}
    page: str | None = ""
    while page is not None:
        params = {"pageSize": "100", **({"pageToken": page} if page else {})}
        answer = systems.http("gemini").get(f"{API}/models", params=params)
        if (word := answer_word(answer)) != "ok":
            message = f"Gemini does not list its models: {word} (HTTP {answer.status_code})."
            raise NoAnswerError(message)
        body = answer.json()
        found |= {one["name"].removeprefix("models/"): one for one in body["models"]}
        page = body.get("nextPageToken") or None
    return found


def vector_text(vector: Sequence[float]) -> str:
    """Write a vector as pgvector reads it."""
    return f"[{','.join(f'{number:.6f}' for number in vector)}]"


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how alike two vectors of length 1 are: 1 is the same direction."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def _writes(path: str, _json: object) -> str:
    method = path.rpartition(":")[2]
    return "" if method in _QUESTIONS else f"{method!r} is no question that only reads"


def _batch(systems: Systems, texts: Sequence[str]) -> list[list[float]]:
    answer = ask_to_embed(systems, texts)
    if (word := answer_word(answer)) != "ok":
        message = f"Gemini embeds nothing now: {word} (HTTP {answer.status_code})."
        raise NoAnswerError(message)
    vectors = [each["values"] for each in answer.json()["embeddings"]]
    if len(vectors) != len(texts) or any(len(each) != DIMENSIONS for each in vectors):
        message = f"Gemini gave other vectors than {len(texts)} of {DIMENSIONS} numbers."
        raise NoAnswerError(message)
    return [_unit(each) for each in vectors]


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.hypot(*vector)
    if not (math.isfinite(length) and length > 0):
        raise NoAnswerError("Gemini gave a vector without a direction.")
    return [number / length for number in vector]
