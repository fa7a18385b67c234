"""The hands for objects: the Storage API, opened as the service opens it."""

import httpx

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret


def storage(lab: LabState) -> httpx.Client:
    """Open the Storage API with the service key."""
    key = read_secret(lab.folder, "supabase_storage.token")
    return httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['supabase_storage']}/storage/v1",
        headers={"authorization": f"Bearer {key}", "apikey": key},
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
