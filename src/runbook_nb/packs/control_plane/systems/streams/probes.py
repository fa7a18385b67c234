"""What is read of the streams."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

if TYPE_CHECKING:
    import httpx
from runbook_nb.packs.control_plane.systems.streams._opens import (
    LEAST_OPENS,
    OPENS,
    STREAM_PATH,
)

# Streams that a probe opens say so, and no figure counts them.
SYNTHETIC: Final = "synthetic"
# Two beats and five seconds: the platform's own test of a stream (two beats within 65 s at 30 s).
SLACK_S: Final = 5
A_LIVE_MISSION: Final = """
select s.mission_id
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
order by s.last_heartbeat_at desc
limit 1
"""
# A tab that is closed does not come back. A stream that broke is opened again by its browser, of
# itself and within seconds; so is one that the server ended before the mission did.
DISCONNECTS: Final = """
with opened as (
    select session_id,
           connected_at,
           disconnected_at,
           coalesce(metadata ->> 'ended_by', 'client') as ended_by,
           lead(connected_at) over (partition by session_id order by connected_at) as again_at
    from workspace_stream_sessions
    where connected_at <= now() + interval '5 seconds'
      and (connected_at > now() - %(window)s
           or disconnected_at is null
           or disconnected_at > now() - %(window)s)
      and sampling_mode is distinct from 'synthetic'
)
select count(*) as streams,
       count(*) filter (where again_at <= disconnected_at + interval '1 minute'
                           or ended_by not in ('client', 'execution_complete')) as cut_off,
       count(*) filter (
           where disconnected_at is not null
             and ended_by = 'client'
             and (again_at is null or again_at > disconnected_at + interval '1 minute')
       ) as left_by_users
from opened
"""
# Fewer streams that broke are one user's train.
LEAST_CUT_OFF: Final = 3
STALE: Final = """
select w.session_id, w.mission_id, w.connected_at, m.status as mission_status
from workspace_stream_sessions w
left join missions m on m.id = w.mission_id
where w.disconnected_at is null
  and w.connected_at < now() - %(older_than)s
  and m.status is distinct from 'in_progress'
order by w.connected_at
"""
UNSAMPLED: Final = """
select count(*) as open_streams,
       count(*) filter (where telemetry_disabled) as without_telemetry
from workspace_stream_sessions
where disconnected_at is null
"""


@probe(unit="opens/min")
def opens_per_minute(systems: Systems, *, window: timedelta) -> Reading:
    """Return the opens a minute of the session that reconnects most, since it began to.

    A storm is six opens or more without a minute's rest, the newest of them 90 s old at most.
    """
    rows = systems.database().rows(OPENS, window=window, least=LEAST_OPENS)
    most = float(rows[0]["opens_per_minute"]) if rows else 0.0
    return Reading(value=most, detail=rows)


@probe(unit="%")
def cut_off(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of streams, open in the window, that broke before their end, in percent.

    A stream that its browser opens again within a minute broke; a tab that was closed did not.
    Fewer than three are not counted.
    """
    row = systems.database().row(DISCONNECTS, window=window)
    broken = row["cut_off"] if row["cut_off"] >= LEAST_CUT_OFF else 0
    return Reading(value=round(100 * broken / max(row["streams"], 1), 1), detail=row)


@probe(unit="streams")
def stale(systems: Systems, *, older_than: timedelta) -> Reading:
    """Count open streams older than this whose mission is no longer in progress."""
    rows = systems.database().rows(STALE, older_than=older_than)
    return Reading(value=len(rows), detail=rows)


@probe(unit="%")
def without_telemetry(systems: Systems) -> Reading:
    """Return the share of open streams that send no telemetry, in percent."""
    row = systems.database().row(UNSAMPLED)
    share = 100 * row["without_telemetry"] / max(row["open_streams"], 1)
    return Reading(value=round(share, 1), detail=row)


@probe(unit="", timeout_s=75)
def framing(systems: Systems) -> Reading:
    """Open a stream as a browser does and name what comes first.

    ``event stream`` is right; ``no bytes`` means that something on the way holds them back.
    """
    import httpx

    try:
        with _open_stream(systems) as response:
            kind = response.headers.get("content-type", "").partition(";")[0]
            first = next(response.iter_text(), "")
    except httpx.TimeoutException:
        return Reading(value="no bytes", detail={"waited_s": _patience_s(systems)})
    detail = {"headers": dict(response.headers), "first": first[:500]}
    if response.status_code != httpx.codes.OK:
        return Reading(value=f"HTTP {response.status_code}", detail=detail)
    framed = kind == "text/event-stream" and first.startswith(("event:", "data:", ":", "id:"))
    return Reading(value="event stream" if framed else f"unframed {kind}", detail=detail)


@probe(unit="beats", timeout_s=75)
def delivered_beats(systems: Systems, *, wanted: int = 2) -> Reading:
    """Open a stream as a browser does and count beats until ``wanted`` or two intervals and 5 s."""
    import httpx

    began, beats = time.monotonic(), []
    patience_s = _patience_s(systems)
    try:
        with _open_stream(systems) as response:
            for name in _event_names(response):
                after_s = round(time.monotonic() - began, 2)
                if name == "session_heartbeat":
                    beats.append(after_s)
                if len(beats) >= wanted or after_s > patience_s:
                    break
    except httpx.TimeoutException:
        pass
    return Reading(value=len(beats), detail={"beats_after_s": beats, "patience_s": patience_s})


def _open_stream(systems: Systems) -> Any:
    rows = systems.database().rows(A_LIVE_MISSION)
    if not rows:
        message = "No mission is live, so there is no stream to open."
        raise NoAnswerError(message)
    parameters = {
        "mission_id": str(rows[0]["mission_id"]),
        "session_id": f"probe-{uuid.uuid4()}",
        "sampling": SYNTHETIC,
    }
    return systems.http("edge").stream(
        STREAM_PATH, params=parameters, timeout_s=_patience_s(systems)
    )


def _patience_s(systems: Systems) -> float:
    return 2 * float(systems.setting("agent", "heartbeat_interval_s")) + SLACK_S


def _event_names(response: "httpx.Response") -> Iterator[str]:
    for line in response.iter_lines():
        if line.startswith("event:"):
            yield line.partition(":")[2].strip()
        elif line.startswith("{"):
            # The agent's own stream has no framing: one JSON object a line.
            yield str(json.loads(line).get("event", ""))
