"""How silences are ended."""

from datetime import timedelta
from typing import Any

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._alerting.rules import Silence
from runbook_nb.packs.control_plane.systems.alert_silences._silences import lasting_silences, told
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=30, repeatable=True, contained=True)
def end(systems: Systems, *, longest: timedelta) -> Json:
    """Expire the silences that last longer than planned work, or hide data or security."""
    found = lasting_silences(systems, longest)
    if not found:
        message = "No silence is longer than that."
        raise NothingDoneError(message)
    for one, _ in found:
        path = f"/api/v2/silence/{one.id}"
        systems.http("alertmanager").request("DELETE", path).raise_for_status()
    return {"ended": told(found), "as they were": [_body(one) for one, _ in found]}


@end.rehearsal
def _(systems: Systems, *, longest: timedelta) -> Json:
    return {"would end": told(lasting_silences(systems, longest))}


@end.undo
def _(systems: Systems, result: Json, *, longest: timedelta) -> Json:  # noqa: ARG001
    again = []
    for body in result["as they were"]:
        answer = systems.http("alertmanager").request("POST", "/api/v2/silences", json=body)
        again.append(answer.raise_for_status().json()["silenceID"])
    return {"silenced again": again}


def _body(silence: Silence) -> dict[str, Any]:
    return {
        "matchers": [dict(one) for one in silence.matchers],
        "startsAt": silence.begins.isoformat(),
        "endsAt": silence.ends.isoformat(),
        "createdBy": silence.by,
        "comment": silence.comment,
    }
