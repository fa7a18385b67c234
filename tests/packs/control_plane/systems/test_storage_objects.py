"""Objects in Storage on the lab's emulator: which are missing, and that they come back."""

import httpx
import pytest

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.packs.control_plane.systems import storage_objects

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture
def lost(lab):
    """Lose the objects of the newest artifacts; bring them back after."""
    FAULTS["objects_missing"].inject(lab)
    yield
    FAULTS["objects_missing"].heal(lab)
    FAULTS["objects_missing"].heal(lab)
    assert wait_until_quiet(lab) == []


def test_the_healthy_lab_has_every_object(lab, hands):
    """Each is there, with the hash of its row."""
    assert hands.value(storage_objects.missing()) == 0
    assert hands.value(storage_objects.altered(newest=10)) == 0


@pytest.mark.holds("storage_objects.put_back")
def test_lost_objects_come_back_as_rehearsed(lost, hands):
    """Rehearsed, done, done again, undone."""
    assert hands.value(storage_objects.missing()) == 12
    rehearsed = hands.rehearse(storage_objects.put_back())
    assert hands.value(storage_objects.missing()) == 12

    done = hands.do(storage_objects.put_back())
    assert done["put back"] == rehearsed["would put back"]
    assert hands.value(storage_objects.missing()) == 0
    assert hands.value(storage_objects.altered(newest=12)) == 0

    assert hands.do(storage_objects.put_back())["put back"] == []
    hands.undo(storage_objects.put_back(), done)
    assert hands.value(storage_objects.missing()) == 12


def test_a_refusal_is_not_a_missing_object(lab, hands):
    """The service says 400 to both."""
    outage = f"http://127.0.0.1:{lab.ports['supabase_storage']}/__lab__/outage"
    refusal = '{"statusCode":"403","error":"Unauthorized","message":"Invalid Compact JWS"}'
    httpx.post(outage, json={"status": 400, "body": refusal}, trust_env=False)
    try:
        with pytest.raises(NoAnswerError, match="Invalid Compact JWS"):
            hands.value(storage_objects.missing(newest=3))
    finally:
        httpx.delete(outage, trust_env=False)
