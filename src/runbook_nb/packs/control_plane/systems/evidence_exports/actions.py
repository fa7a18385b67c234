"""How exports are closed for all, and how one actor is stopped."""

from typing import Any, Final

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems.evidence_exports._actors import compared, standing
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

UNUSUAL: Final = 3.0
# More at once are no thief: then the norm is wrong, or the whole platform exports.
AT_MOST: Final = 3
FIRST_ROUTE: Final = "/config/apps/http/servers/srv0/routes/0"
ROUTES: Final = "/config/apps/http/servers/srv0/routes"
NAME: Final = "exports-closed"
FORBIDDEN: Final = 403
CLOSED: Final = {
    "@id": NAME,
    "match": [
        {"path": ["/api/approvals/*/export", "/api/artifacts/*/export", "/api/users/export"]}
    ],
    "handle": [
        {"handler": "static_response", "status_code": FORBIDDEN, "body": "Exports are closed."}
    ],
    "terminal": True,
}
TRIED: Final = "/api/users/export"
BAN: Final = """
update auth.users
set banned_until = now() + interval '10 years',
    raw_app_meta_data = raw_app_meta_data || jsonb_build_object('stopped_at', now())
where id = %(actor)s::uuid and coalesce(banned_until, now()) <= now()
returning id::text as actor
"""
FREE: Final = """
update auth.users
set banned_until = null, raw_app_meta_data = raw_app_meta_data - 'stopped_at'
where id = %(actor)s::uuid
"""
SIGN_OUT: Final = "delete from auth.sessions where user_id = %(actor)s::uuid returning id"


@action(timeout_s=30, repeatable=True, contained=True)
def close(systems: Systems) -> Json:
    """Have the edge answer 403 to every export, and prove it by asking for one."""
    edge = systems.http("edge.admin")
    already = _is_closed(systems)
    if not already:
        edge.request("PUT", FIRST_ROUTE, json=CLOSED).raise_for_status()
    said = systems.http("edge").get(TRIED).status_code
    if said != FORBIDDEN:
        message = f"The edge took the route, and an export is still answered with HTTP {said}."
        raise ActionError(message)
    return {"closed": CLOSED["match"], "closed before": already, "an export is answered": said}


@close.rehearsal
def _(systems: Systems) -> Json:
    said = systems.http("edge").get(TRIED).status_code
    return {"an export is answered": said, "would be answered": FORBIDDEN}


@close.undo
def _(systems: Systems, result: Json) -> Json:
    if not result["closed before"] and _is_closed(systems):
        systems.http("edge.admin").request("DELETE", f"/id/{NAME}").raise_for_status()
    return {"an export is answered": systems.http("edge").get(TRIED).status_code}


@action(timeout_s=30, repeatable=True, contained=True)
def stop_actors(systems: Systems) -> Json:
    """Ban each actor whose exports are unusual and end their sessions, in one transaction.

    Raises NothingDoneError for more than three of them, or for one that has no account: then
    somebody must look first.
    """
    return _stop(systems.database(), rollback=False)


@stop_actors.rehearsal
def _(systems: Systems) -> Json:
    return _stop(systems.database(), rollback=True)


@stop_actors.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for each in result["stopped"]:
            database.rows(FREE, actor=each["actor"])
    return {"may sign in again": [each["actor"] for each in result["stopped"]]}


def _is_closed(systems: Systems) -> bool:
    routes = systems.http("edge.admin").get(ROUTES).raise_for_status().json()
    return any(route.get("@id") == NAME for route in routes)


def _stop(database: Database, *, rollback: bool) -> dict[str, Any]:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        actors = [row["actor"] for row in compared(database) if row["times usual"] > UNUSUAL]
        known = standing(database, actors)
        if len(actors) > AT_MOST:
            message = f"{len(actors)} people export unusually much: look before any is stopped."
            raise NothingDoneError(message)
        if unknown := [actor for actor in actors if actor not in known]:
            message = f"{len(unknown)} of the actors have no account here; close the exports."
            raise NothingDoneError(message)
        stopped = []
        for actor in actors:
            banned = database.rows(BAN, actor=actor)
            ended = len(database.rows(SIGN_OUT, actor=actor))
            if banned or ended:
                stopped.append({"actor": actor, "sessions ended": ended})
    return {"stopped": stopped, "unusual actors": len(actors)}
