"""The console of a Google Cloud project: its quotas (Cloud Quotas API) and their use (Monitoring).

Only what concerns the Gemini API is served: ``quotaInfos`` and ``timeSeries``.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.gemini_errors import SERVICE, error
from runbook_nb.packs.control_plane.lab.emulators.gemini_quotas import ModelQuota, until_midnight

_DAY: Final = timedelta(days=1)


def console_app(
    quotas: Callable[[], Mapping[str, ModelQuota]], *, project: str, token: Callable[[], str]
) -> Starlette:
    """Make the two APIs of the console for one project, opened by a bearer token."""

    def guarded(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def route(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(given.encode(), token().encode()):
                message = "Request had invalid authentication credentials."
                return error(HTTPStatus.UNAUTHORIZED, message, status="UNAUTHENTICATED")
            if request.path_params["project"] != project:
                return error(HTTPStatus.FORBIDDEN, "The caller does not have permission")
            return JSONResponse(answer(request))

        return route

    def infos(_request: Request) -> dict[str, Any]:
        named = [(quota, info) for quota in quotas().values() for info in quota.infos()]
        return {"quotaInfos": [_info(quota, info, project) for quota, info in named]}

    def series(_request: Request) -> dict[str, Any]:
        named = [(quota, info) for quota in quotas().values() for info in quota.infos()]
        return {"timeSeries": [_series(quota, info, project) for quota, info in named]}

    path = f"/locations/global/services/{SERVICE}/quotaInfos"
    return Starlette(
        routes=[
            Route("/v1/projects/{project}" + path, guarded(infos)),
            Route("/v3/projects/{project}/timeSeries", guarded(series)),
        ]
    )


def _info(quota: ModelQuota, info: Mapping[str, Any], project: str) -> dict[str, Any]:
    details = {"dimensions": {"model": quota.model}, "details": {"value": str(info["value"])}}
    place = f"projects/{project}/locations/global/services/{SERVICE}/quotaInfos"
    return {
        "name": f"{place}/{info['quotaId']}",
        "quotaId": info["quotaId"],
        "metric": f"{SERVICE}/{info['metric']}",
        "service": SERVICE,
        "isPrecise": True,
        "refreshInterval": info["interval"],
        "containerType": "PROJECT",
        "dimensions": ["model"],
        "dimensionsInfos": [{**details, "applicableLocations": ["global"]}],
    }


def _series(quota: ModelQuota, info: Mapping[str, Any], project: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    began = (
        now + until_midnight() - _DAY if info["interval"] == "day" else now - timedelta(minutes=1)
    )
    labels = {"limit_name": info["quotaId"], "model": quota.model}
    return {
        "metric": {"type": f"{SERVICE}/quota/{info['metric']}/usage", "labels": labels},
        "resource": {
            "type": f"{SERVICE}/Location",
            "labels": {"resource_container": f"projects/{project}", "location": "global"},
        },
        "metricKind": "DELTA",
        "valueType": "INT64",
        "points": [
            {
                "interval": {"startTime": began.isoformat(), "endTime": now.isoformat()},
                "value": {"int64Value": str(info["used"])},
            }
        ],
    }
