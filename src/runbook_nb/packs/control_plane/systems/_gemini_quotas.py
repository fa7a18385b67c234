"""The quotas of the Gemini project: what Google's console says of their size and their use.

They belong to the project and a model: all keys, environments and callers use up the same ones.
"""

from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import Page, every_page

SERVICE: Final = "generativelanguage.googleapis.com"
# A quota's id says what is counted, and for how long: GenerateRequestsPerDayPerProjectPerModel.
KINDS: Final = {
    "requests_a_day": "RequestsPerDay",
    "requests_a_minute": "RequestsPerMinute",
    "tokens_a_minute": "TokensPerModelPerMinute",
}
# Less than a fifth left is little: the platform's rule for every limit of a partner.
TIGHT: Final = 80.0


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One quota of one model: how much it allows, and how much of that is used."""

    model: str
    kind: str
    id: str
    limit: int
    used: int

    @property
    def percent(self) -> float:
        """How much is used, in percent; a quota of nothing is used up."""
        return round(100 * self.used / self.limit, 1) if self.limit > 0 else 100.0

    def as_json(self) -> dict[str, Any]:
        """Return what a responder has to see of it."""
        return {
            "model": self.model,
            "quota": self.id,
            "limit": self.limit,
            "used": self.used,
            "used, %": self.percent,
        }


def quotas_of(systems: Systems, model: str) -> dict[str, Quota]:
    """Return the three quotas of a model by kind: requests a day and a minute, tokens a minute.

    Raises NoAnswerError where the console does not name each with its use.
    """
    limits = {_place(info): info for info in _infos(systems)}
    used = {_metric(series): series for series in _series(systems)}
    found = {}
    for kind, word in KINDS.items():
        named = [key for key in limits.keys() & used.keys() if key[1] == model and word in key[0]]
        if len(named) != 1:
            message = f"Google's console tells {len(named)} quotas of {model} for {kind}, not one."
            raise NoAnswerError(message)
        (key,) = named
        details = limits[key]["dimensionsInfos"][0]["details"]
        point = used[key]["points"][0]["value"]
        found[kind] = Quota(
            model=model,
            kind=kind,
            id=key[0],
            limit=int(details["value"]),
            used=int(point["int64Value"]),
        )
    return found


def agreed(systems: Systems, kind: str) -> int:
    """Return how much of a quota was agreed on with Google, as the settings say."""
    return int(systems.setting("gemini", f"agreed_{kind}"))


def _infos(systems: Systems) -> list[dict[str, Any]]:
    project = systems.setting("gemini", "project")
    path = f"/v1/projects/{project}/locations/global/services/{SERVICE}/quotaInfos"
    return _pages(systems, path, what="quotaInfos")


def _series(systems: Systems) -> list[dict[str, Any]]:
    path = f"/v3/projects/{systems.setting('gemini', 'project')}/timeSeries"
    return _pages(systems, path, what="timeSeries")


def _pages(systems: Systems, path: str, *, what: str) -> list[dict[str, Any]]:
    def fetch(begins: str | None) -> Page:
        params = {"pageSize": "500", **({"pageToken": begins} if begins else {})}
        answer = systems.http("google_cloud").get(path, params=params)
        body = answer.raise_for_status().json()
        return Page(items=body[what], after=body.get("nextPageToken") or None)

    return every_page(fetch, what=what)


def _place(info: dict[str, Any]) -> tuple[str, str]:
    return info["quotaId"], info["dimensionsInfos"][0]["dimensions"]["model"]


def _metric(series: dict[str, Any]) -> tuple[str, str]:
    labels = series["metric"]["labels"]
    return labels["limit_name"], labels["model"]
