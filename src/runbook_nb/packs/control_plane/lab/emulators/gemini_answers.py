"""What Gemini answers: texts, streams of them, counts of tokens, and embeddings."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from runbook_nb.packs.control_plane.lab.emulators.gemini_errors import error
from runbook_nb.packs.control_plane.lab.seed.embedding_model import FULL, embed, tokens

Body = dict[str, Any]
_TEXT: Final = "Read the newest records first, draft each change, and ask before anything is sent."
_CATEGORIES: Final = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
_MOST_TEXTS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call of a model: what was sent, and whether the filter for safety holds it back."""

    model: str
    body: Body
    blocked: bool
    as_events: bool

    def sent_tokens(self, method: str) -> int:
        """Count the tokens that were sent."""
        return sum(map(tokens, prompt_of(self.body, method)))


def prompt_of(body: Body, method: str) -> list[str]:
    """Return the texts that a request sends; raises where it is none of this method."""
    if method == "batchEmbedContents":
        return [_joined(each["content"]) for each in body["requests"]]
    if method == "embedContent":
        return [_joined(body["content"])]
    return [_joined(each) for each in body["contents"]]


def _joined(content: Body) -> str:
    return "\n".join(str(part.get("text", "")) for part in content["parts"])


def generate(asked: Asked) -> Response:
    """Answer with one candidate, or with the reason why there is none."""
    return JSONResponse(_generated(asked))


def stream(asked: Asked) -> Response:
    """Answer piece by piece: as server-sent events if asked for, else as one list."""
    whole = _generated(asked)
    if asked.as_events:
        return Response(f"data: {json.dumps(whole)}\r\n\r\n", media_type="text/event-stream")
    return JSONResponse([whole])


def _generated(asked: Asked) -> dict[str, Any]:
    sent = asked.sent_tokens("generateContent")
    about = {"modelVersion": asked.model, "responseId": secrets.token_urlsafe(16)}
    if asked.blocked:
        usage = {"promptTokenCount": sent, "totalTokenCount": sent}
        return {"promptFeedback": _held_back(), "usageMetadata": usage, **about}
    text = _text(asked.body)
    written = tokens(text)
    candidate = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "finishReason": "STOP",
        "index": 0,
    }
    usage = {
        "promptTokenCount": sent,
        "candidatesTokenCount": written,
        "totalTokenCount": sent + written,
    }
    return {"candidates": [candidate], "usageMetadata": usage, **about}


def _held_back() -> dict[str, Any]:
    ratings = [
        {
            "category": f"HARM_CATEGORY_{name}",
            "probability": "HIGH" if name == "DANGEROUS_CONTENT" else "NEGLIGIBLE",
            **({"blocked": True} if name == "DANGEROUS_CONTENT" else {}),
        }
        for name in _CATEGORIES
    ]
    return {"blockReason": "SAFETY", "safetyRatings": ratings}


def _text(body: Body) -> str:
    if body.get("generationConfig", {}).get("responseMimeType") == "application/json":
        return json.dumps({"next_step": _TEXT})
    return _TEXT


def count(asked: Asked) -> Response:
    """Count the tokens of a request."""
    return JSONResponse({"totalTokens": asked.sent_tokens("countTokens")})


def embed_one(asked: Asked) -> Response:
    """Embed one text."""
    return _embedded(asked, [asked.body], one=True)


def embed_many(asked: Asked) -> Response:
    """Embed up to 100 texts, in their order."""
    return _embedded(asked, asked.body["requests"], one=False)


def _embedded(asked: Asked, requests: list[Body], *, one: bool) -> Response:
    if len(requests) > _MOST_TEXTS:
        message = f"BatchEmbedContentsRequest.requests: at most {_MOST_TEXTS} can be in one batch"
        return error(HTTPStatus.BAD_REQUEST, message)
    vectors = []
    for each in requests:
        length = int(each.get("outputDimensionality") or FULL)
        if not 1 <= length <= FULL:
            message = f"outputDimensionality must be in [1, {FULL}], not {length}"
            return error(HTTPStatus.BAD_REQUEST, message)
        values = embed(_joined(each["content"]), model=asked.model, dimensions=length)
        vectors.append({"values": [round(number, 8) for number in values]})
    return JSONResponse({"embedding": vectors[0]} if one else {"embeddings": vectors})


ANSWERS: Final[dict[str, Callable[[Asked], Response]]] = {
    "generateContent": generate,
    "streamGenerateContent": stream,
    "countTokens": count,
    "embedContent": embed_one,
    "batchEmbedContents": embed_many,
}
