"""How Google's APIs refuse: one error object; its details say which quota, and for how long."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse, Response

_TYPE: Final = "type.googleapis.com/google.rpc."
_LIMITS: Final = "https://ai.google.dev/gemini-api/docs/rate-limits"
SERVICE: Final = "generativelanguage.googleapis.com"
_STATUS: Final = {
    HTTPStatus.BAD_REQUEST: "INVALID_ARGUMENT",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
}


def error(
    code: HTTPStatus, message: str, *, status: str = "", details: Sequence[dict[str, Any]] = ()
) -> Response:
    """Return the error object; ``status`` where it is not the usual one of the code."""
    about: dict[str, Any] = {"code": int(code), "message": message}
    about["status"] = status or _STATUS[code]
    if details:
        about["details"] = list(details)
    return JSONResponse({"error": about}, status_code=code)


def exhausted(*, quota: str, metric: str, model: str, value: int, retry_s: float) -> Response:
    """Refuse for a quota, as the API does: which one, how large it is, and when to come again."""
    named = f"{SERVICE}/{metric}"
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more "
        f"information on this error, head to: {_LIMITS}.\n* Quota exceeded for metric: {named}, "
        f"limit: {value}, model: {model}\nPlease retry in {retry_s:.9f}s."
    )
    violation = {
        "quotaMetric": named,
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(value),
    }
    return error(
        HTTPStatus.TOO_MANY_REQUESTS,
        message,
        details=[
            {
                "@type": f"{_TYPE}Help",
                "links": [{"description": "Learn more about Gemini API quotas", "url": _LIMITS}],
            },
            {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
            {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(1, round(retry_s))}s"},
        ],
    )


def bad_key() -> Response:
    """Refuse a key that is none."""
    info = {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    }
    message = "API key not valid. Please pass a valid API key."
    return error(HTTPStatus.BAD_REQUEST, message, details=[info])


def no_key() -> Response:
    """Refuse a request without a key."""
    message = (
        "Method doesn't allow unregistered callers (callers without established identity). Please "
        "use API Key or other form of API consumer identity to call this API."
    )
    return error(HTTPStatus.FORBIDDEN, message)


def no_billing() -> Response:
    """Refuse a project whose billing is closed."""
    info = {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": "BILLING_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    }
    message = (
        "This API method requires billing to be enabled. Please enable billing on the project."
    )
    return error(HTTPStatus.FORBIDDEN, message, details=[info])


def no_model(model: str, *, method: str, version: str) -> Response:
    """Refuse a model that is not served, or not for this method."""
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return error(HTTPStatus.NOT_FOUND, message)


def overloaded() -> Response:
    """Say that the model has no capacity, which is nobody's quota."""
    return error(HTTPStatus.SERVICE_UNAVAILABLE, "The model is overloaded. Please try again later.")
