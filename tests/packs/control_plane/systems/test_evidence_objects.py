"""Evidence on the lab's Storage: what is wrong is told from what is right, and made whole."""

import hashlib

import httpx
import pytest

from runbook_nb.errors import ActionError, NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.evidence_hands import (
    EVIDENCE,
    WITHHELD,
    Store,
    bring_back,
    keep,
    picked,
    superuser,
)
from runbook_nb.packs.control_plane.systems import evidence_objects, storage_buckets
from runbook_nb.packs.control_plane.systems.evidence_objects import _placement
from runbook_nb.packs.control_plane.systems.evidence_objects._content import Pace

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names; heal it twice after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)


def injected(*names):
    return pytest.mark.parametrize("fault", names, indirect=True)


def wrong_ways(hands):
    return {each["wrong"] for each in hands.read(evidence_objects.damaged()).detail["damaged"]}


def test_the_healthy_lab_has_whole_evidence(lab, hands):
    """Every object is read, and each has the hash of its row."""
    swept = hands.read(evidence_objects.damaged())

    assert swept.value == 0
    assert swept.detail["objects read"] == swept.detail["of"] > 600
    assert hands.value(evidence_objects.missing()) == 0
    assert hands.value(evidence_objects.elsewhere()) == 0
    assert hands.value(evidence_objects.misrecorded()) == 0
    assert hands.value(evidence_objects.not_uploaded()) == 0
    assert hands.value(storage_buckets.refusing()) == 0


@injected("evidence_truncated")
@pytest.mark.holds("evidence_objects.mend")
def test_what_is_damaged_is_kept_aside_and_comes_back_with_the_undo(lab, fault, hands):
    """Rehearsed, done, done again, undone: the bad bytes are where they were."""
    with Store(lab) as store:
        path = picked(lab, count=1)[0].path
        bad = store.read(path)
        rehearsed = hands.rehearse(evidence_objects.mend(which="damaged"))
        assert rehearsed["would put"][0]["path"] == path

        done = hands.do(evidence_objects.mend(which="damaged"))
        assert store.read(done["mended"][0]["kept aside"]) == bad
        assert hands.value(evidence_objects.damaged()) == 0
        assert hands.do(evidence_objects.mend(which="damaged"))["mended"] == []

        hands.undo(evidence_objects.mend(which="damaged"), done)
        assert store.read(path) == bad
        assert store.read(done["mended"][0]["kept aside"]) is None
    assert hands.value(evidence_objects.damaged()) == 6


@injected("evidence_deleted")
def test_an_undo_leaves_what_was_changed_since(lab, fault, hands):
    """Somebody saved the object anew after the repair."""
    done = hands.do(evidence_objects.mend(which="missing"))
    path = done["mended"][0]["path"]
    with Store(lab) as store:
        store.put(path, b"{}").raise_for_status()
        undone = hands.undo(evidence_objects.mend(which="missing"), done)

        assert undone["changed since, and left"] == [path]
        assert store.read(path) == b"{}"


@injected("evidence_truncated")
def test_what_somebody_else_puts_meanwhile_stays(lab, fault, hands, monkeypatch):
    """Between the taking away and the putting an object appears that is not ours."""
    theirs = b'{"theirs": true}'
    take_away = _placement.remove
    with Store(lab) as store:
        path = picked(lab, count=1)[0].path
        bad = store.read(path)

        def see_another(storage, at):
            take_away(storage, at)
            if at == path:
                store.put(path, theirs).raise_for_status()

        monkeypatch.setattr(_placement, "remove", see_another)
        with pytest.raises(ActionError, match="does not read back"):
            hands.do(evidence_objects.mend(which="damaged"))

        assert store.read(path) == theirs
        digest = hashlib.sha256(bad).hexdigest()
        assert store.read(f"{WITHHELD}/kept-aside/{digest[:16]}/{path}") == bad


@injected("evidence_deleted")
def test_a_copy_that_is_wrong_itself_is_not_put(lab, fault, hands):
    """The version holds other bytes, so the content of the row is taken."""
    path = picked(lab, count=1)[0].path
    with Store(lab) as store:
        good = store.read(f"evidence-versions/{path}")
        store.rot(f"evidence-versions/{path}", b"{}")
        try:
            done = hands.do(evidence_objects.mend(which="missing"))
            assert store.read(path) == good
        finally:
            store.rot(f"evidence-versions/{path}", good)
    sources = {each["path"]: each["from"] for each in done["mended"]}
    assert sources[path] != f"evidence-versions/{path}"


@injected("evidence_misplaced")
def test_what_lies_elsewhere_is_copied_and_stays_there(lab, fault, hands):
    """Nothing is lost, so nothing counts as missing."""
    assert hands.value(evidence_objects.missing()) == 0
    assert hands.value(evidence_objects.elsewhere()) == 6

    done = hands.do(evidence_objects.mend(which="elsewhere"))
    assert hands.value(evidence_objects.elsewhere()) == 0
    with Store(lab) as store:
        assert all(store.read(each["from"]) for each in done["mended"])


@injected("evidence_hash_case")
@pytest.mark.holds("evidence_objects.correct_hashes")
def test_a_row_is_corrected_by_its_object_and_a_witness(fault, hands):
    """Rehearsed, done, undone."""
    rehearsed = hands.rehearse(evidence_objects.correct_hashes())
    done = hands.do(evidence_objects.correct_hashes())

    assert done == rehearsed
    assert len(done["corrected"]) == 6
    assert hands.value(evidence_objects.misrecorded()) == 0
    hands.undo(evidence_objects.correct_hashes(), done)
    assert hands.value(evidence_objects.misrecorded()) == 6


@injected("evidence_replaced")
def test_a_changed_object_never_gets_a_new_hash(fault, hands):
    """The row is right: a hash made anew would hide the change."""
    assert hands.value(evidence_objects.misrecorded()) == 0
    assert hands.do(evidence_objects.correct_hashes())["corrected"] == []


@injected("evidence_refused")
@pytest.mark.holds("storage_buckets.take_evidence")
def test_a_bucket_takes_evidence_again_and_only_that_rule_changes(fault, hands):
    """Rehearsed, done, undone; what never arrived is put only while the bucket takes it."""
    assert hands.value(evidence_objects.not_uploaded()) > 10
    with pytest.raises(ActionError, match="refused to take"):
        hands.do(evidence_objects.mend(which="not uploaded"))
    rehearsed = hands.rehearse(storage_buckets.take_evidence())
    done = hands.do(storage_buckets.take_evidence())

    assert done["changed"] == rehearsed["would change"]
    assert done["changed"] == {"allowed_mime_types": ["application/pdf", "application/json"]}
    assert hands.value(storage_buckets.refusing()) == 0
    assert len(hands.do(evidence_objects.mend(which="not uploaded"))["mended"]) == 8
    assert hands.value(evidence_objects.not_uploaded()) == 0
    hands.undo(storage_buckets.take_evidence(), done)
    assert hands.value(storage_buckets.refusing()) > 10


def test_many_at_once_are_no_matter_of_single_objects(lab, hands):
    """A store or a key is wrong then; nothing is touched."""
    paths = [each.path for each in picked(lab, count=170)]
    with Store(lab) as store:
        keep(lab, store, "evidence_many", paths)
        for path in paths:
            store.delete(path)
    try:
        with pytest.raises(NothingDoneError, match="no matter of single objects"):
            hands.do(evidence_objects.mend(which="missing"))
    finally:
        bring_back(lab, fault="evidence_many")
    assert hands.value(evidence_objects.missing()) == 0


@injected("evidence_same_bytes")
def test_the_same_bytes_may_be_saved_twice(fault, hands):
    """Two rows of a mission name one hash, and both objects have it."""
    assert hands.value(evidence_objects.misrecorded()) == 0
    assert hands.value(evidence_objects.damaged()) == 0


@injected("evidence_overwritten")
def test_the_evidence_says_whose_bytes_an_object_holds(fault, hands):
    """Each bundle was saved at the path of another."""
    assert all(way.startswith("it holds what artifact ") for way in wrong_ways(hands))


@injected("evidence_reserialised")
def test_the_same_content_in_another_form_is_named(fault, hands):
    """The hash is of bytes, and not of what they mean."""
    assert wrong_ways(hands) == {"the same content, written in another form"}


def test_a_sweep_without_time_is_no_pass(lab, hands):
    """At a hundred bytes a second nothing wrong is seen, and most is not read."""
    with pytest.raises(NoAnswerError, match="objects were read within"):
        hands.value(evidence_objects.damaged(bytes_per_s=100, within_s=3))


def test_a_refusal_is_not_a_missing_object(lab, hands):
    """The service says 400 to both."""
    outage = f"http://127.0.0.1:{lab.ports['supabase_storage']}/__lab__/outage"
    refusal = '{"statusCode":"403","error":"Unauthorized","message":"Invalid Compact JWS"}'
    httpx.post(outage, json={"status": 400, "body": refusal}, trust_env=False)
    try:
        with pytest.raises(NoAnswerError, match="Invalid Compact JWS"):
            hands.value(evidence_objects.damaged())
    finally:
        httpx.delete(outage, trust_env=False)


def test_a_pace_waits_while_it_is_ahead():
    """Two thousand bytes at a thousand a second take two seconds."""
    now = [0.0]
    waited = []
    pace = Pace(bytes_per_s=1000, within_s=60, clock=lambda: now[0], sleep=waited.append)
    pace.take(2000)

    assert waited == [2.0]
    assert not pace.over
    now[0] = 61
    assert pace.over


def test_a_connection_that_the_server_has_ended_costs_the_storage_no_call(lab):
    """As after a restart of the database: the first one to write used to be told 500."""
    rules = {"public": False, "file_size_limit": None, "allowed_mime_types": None}
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s"
    with Store(lab) as store:
        store.bucket(EVIDENCE, **rules)
        with superuser(lab) as connection:
            assert connection.execute(ended, ["storage"]).fetchall() == [(True,)]
        store.bucket(EVIDENCE, **rules)
