"""The emulator for Composio's status page says what its keeper says, and nothing by itself."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators.composio_status import COMPONENTS, KEEPER

pytestmark = pytest.mark.lab


@pytest.fixture
def page(view) -> Iterator[Callable[[str], Any]]:
    """Read one part of the page; afterwards all of it is well."""
    url = view.url("composio_status")
    yield lambda part: httpx.get(f"{url}/api/v2/{part}.json", trust_env=False).json()
    httpx.delete(url + KEEPER, trust_env=False)


def test_a_page_that_is_well_says_so(page):
    """Each part is the summary's own."""
    summary = page("summary")

    assert summary["status"] == {"indicator": "none", "description": "All Systems Operational"}
    assert [one["name"] for one in summary["components"]] == list(COMPONENTS)
    assert page("status")["status"] == summary["status"]
    assert page("incidents/unresolved")["incidents"] == summary["incidents"] == []


def test_the_worst_component_colours_the_page(view, page):
    """An incident is told beside it."""
    told = {"API": "degraded_performance", "Tool execution": "major_outage"}
    httpx.post(view.url("composio_status") + KEEPER, json=told, trust_env=False)

    assert page("status")["status"]["indicator"] == "critical"
    assert page("components")["components"][1]["status"] == "major_outage"
    assert len(page("incidents/unresolved")["incidents"]) == 2
