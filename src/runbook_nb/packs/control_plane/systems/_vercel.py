"""The deployments of the user interface at Vercel: the live one, and all pages of the list."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import Page, every_page

PRODUCTION: Final = {"target": "production", "limit": "100"}


def live_deployment(systems: Systems) -> dict[str, Any]:
    """Return the deployment that has the production domains; raises NoAnswerError without one."""
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    production: dict[str, Any] = (found.get("targets") or {}).get("production") or {}
    if not production:
        message = f"The project {project} has no production deployment."
        raise NoAnswerError(message)
    return {**production, "meta": production.get("meta") or {}}


def deployments(systems: Systems, **filters: str) -> list[dict[str, Any]]:
    """Return the production deployments, newest first, all pages of the list."""
    project = systems.setting("vercel", "project")

    def fetch(after: str | None) -> Page:
        params = {**PRODUCTION, **filters, "projectId": project}
        if after:
            params["until"] = after
        answer = systems.http("vercel").get("/v6/deployments", params=params).raise_for_status()
        body = answer.json()
        following = (body.get("pagination") or {}).get("next")
        return Page(items=body["deployments"], after=None if following is None else str(following))

    return every_page(fetch, what="deployments")
