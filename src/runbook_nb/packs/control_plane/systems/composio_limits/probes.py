"""What is read of the limits on our calls."""

from http import HTTPStatus

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import ANSWERED, ask, told
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="%")
def headroom(systems: Systems) -> Reading:
    """Return how much of Composio's limit is left in this window, in percent; 0 once it refuses.

    The limit is the organisation's, so other environments use it too. Raises NoAnswerError where
    Composio does not answer, or without its figures.
    """
    asked = ask(systems)
    if asked["came"] != ANSWERED:
        message = f"Composio does not answer, which tells nothing of its limit: {told(asked)}."
        raise NoAnswerError(message)
    response = asked["response"]
    names = ("x-ratelimit", "x-ratelimit-remaining", "x-ratelimit-window-size", "retry-after")
    detail = {name: response.headers.get(name) for name in names}
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return Reading(value=0.0, detail=detail)
    try:
        limit, left = float(detail["x-ratelimit"] or 0), float(detail["x-ratelimit-remaining"] or 0)
        return Reading(value=round(100 * left / limit, 1), detail=detail)
    except (ValueError, ZeroDivisionError) as error:
        message = "Composio answered without the figures of its limit."
        raise NoAnswerError(message) from error
