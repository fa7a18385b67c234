"""What alert rules read of the agent's machines, at Fly."""

from typing import Any

from runbook_nb.packs.control_plane.lab.fly import APP
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret


def agent_variables(lab: LabState) -> list[dict[str, Any]]:
    """Return the variables of each machine of the agent; none where Fly does not say."""
    import httpx

    token = read_secret(lab.folder, "fly.token")
    try:
        answer = httpx.get(
            f"http://127.0.0.1:{lab.ports['fly']}/v1/apps/{APP}/machines",
            headers={"authorization": f"Bearer {token}"},
            timeout=2,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )
        machines = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return []
    return [machine["config"].get("env", {}) for machine in machines]
