"""Breaches on the real lab: what is seen of them, what is sealed first, and how each is closed."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.systems import (
    credentials,
    event_tenants,
    evidence_access,
    evidence_exports,
    isolation,
    personal_data,
    purge,
    snapshots,
    storage_buckets,
)
from runbook_nb.packs.control_plane.systems._database.private_text import private_spans

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WINDOW = timedelta(days=30)
SEAL = snapshots.seal(window=WINDOW)


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)


@pytest.fixture
def nothing_sealed(lab):
    """Begin without any snapshot, and leave none behind."""
    place = Path(lab.folder) / "sealed"
    shutil.rmtree(place, ignore_errors=True)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def refused(hands, action):
    """Return in which words an action declines."""
    with pytest.raises(NothingDoneError) as declined:
        hands.do(action)
    return str(declined.value)


def test_the_healthy_lab_has_nothing_to_find(hands, nothing_sealed):
    """What the platform was made with is known, and is no breach."""
    for probe in (
        isolation.foreign_rows(),
        isolation.anonymous_rows(),
        personal_data.in_events(window=WINDOW),
        personal_data.in_evidence(window=WINDOW),
        event_tenants.foreign(window=WINDOW),
        evidence_access.unreviewed(),
        evidence_exports.unusual(),
        evidence_exports.by_stopped(),
        storage_buckets.open_to_anybody(),
        snapshots.altered(),
    ):
        assert hands.value(probe) == 0, probe
    assert hands.value(credentials.oldest()) == 40


@pytest.mark.parametrize("fault", ["view_leaks"], indirect=True)
def test_a_leak_tells_how_many_and_since_when(fault, hands):
    """Counts and names of relations; the owners are not named."""
    seen = hands.read(isolation.foreign_rows())
    leak = seen.detail[0]
    assert (leak["Table or view"], leak["rows seen"], leak["verdict"]) == (
        *("customer_overview", seen.value),
        "leaks",
    )
    assert leak["changed after"] is not None


@pytest.mark.parametrize("fault", ["view_leaks.viewer_cut"], indirect=True)
def test_who_cannot_look_as_a_tenant_has_seen_nothing(fault, hands):
    """Blindness is no all-clear."""
    with pytest.raises(NoAnswerError, match="cannot look as authenticated"):
        hands.value(isolation.foreign_rows())


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("git@github.com:northwind/freight.git", []),
        ("deploy@build.internal:apps/site", []),
        ("logo@2x.png, logo@3x.webp", []),
        ("@scope/tool@4.1.2 and @db-lead", []),
        ("[redacted-email], Bearer [redacted-token]", []),
        ("ask amara@northwind.example, please", ["e-mail"]),
        ("call +49 30 9018 2011 or (415) 555-0134", ["phone", "phone"]),
        ("Bearer 1f0c9d7be2a34c5d8e6f70a1b2c3d4e5", ["authorization header"]),
    ],
)
def test_only_what_is_private_counts(text, kinds):
    """Repositories, images, packages and what is masked are not."""
    assert [span.kind for span in private_spans(text)] == kinds


@pytest.mark.holds("personal_data.redact", undo=False)
@pytest.mark.parametrize("fault", ["feedback_personal"], indirect=True)
def test_private_data_is_sealed_then_redacted_in_its_place(
    fault, lab, hands, nothing_sealed, masked_notes
):
    """Nothing is changed before it is sealed; the rest of each text stays."""
    seen = hands.read(personal_data.in_evidence(window=WINDOW))
    assert seen.value == 7
    assert "amara" not in json.dumps(seen.detail, default=str).casefold()
    redact = personal_data.redact(window=WINDOW)
    assert "there is none" in refused(hands, redact)

    hands.do(SEAL)
    assert hands.rehearse(redact)["would redact"]
    done = hands.do(redact)
    assert done["texts with private data after"] == 0
    assert hands.value(personal_data.in_evidence(window=WINDOW)) == 0
    assert masked_notes() == [
        ("Ask Amara Okafor, [redacted-email], [redacted-phone], before a resend.",)
    ]


@pytest.fixture
def masked_notes(lab, hands):
    """Read the remarks that were redacted."""

    def read():
        with psycopg.connect(hands._lab.dsn()) as connection:
            return connection.execute(
                "select distinct qualitative_notes from mission_feedback where metadata ? 'mark'"
            ).fetchall()

    return read


@pytest.mark.holds("event_tenants.set_right")
@pytest.mark.parametrize("fault", ["events_misfiled"], indirect=True)
def test_events_are_filed_and_back_as_the_snapshot_has_them(fault, hands, nothing_sealed):
    """Sealed, rehearsed, done, undone."""
    assert hands.value(event_tenants.foreign(window=WINDOW)) == 60
    action = event_tenants.set_right(window=WINDOW)
    assert "there is none" in refused(hands, action)
    hands.do(SEAL)
    assert hands.rehearse(action)["rows under a foreign tenant after"] == 0
    done = hands.do(action)
    assert hands.value(event_tenants.foreign(window=WINDOW)) == 0
    hands.undo(action, done)
    assert hands.value(event_tenants.foreign(window=WINDOW)) == 60


@pytest.mark.holds("evidence_access.withhold")
@pytest.mark.parametrize("fault", ["evidence_unreviewed"], indirect=True)
def test_evidence_is_withheld_and_its_links_end(fault, lab, hands, nothing_sealed):
    """The object moves to where nobody reads, and comes back."""
    assert hands.value(evidence_access.unreviewed()) == 6
    action = evidence_access.withhold()
    assert "there is none" in refused(hands, action)
    hands.do(SEAL)
    assert len(hands.rehearse(action)["would withhold"]) == 6
    done = hands.do(action)
    assert hands.value(evidence_access.unreviewed()) == 0
    key = hands._lab.secret("supabase_storage.token")
    url = f"http://127.0.0.1:{lab.ports['supabase_storage']}/storage/v1/object"
    was = done["withheld"][0]["from"]
    headers = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{url}/{was}", headers=headers, trust_env=False).is_error
    hands.undo(action, done)
    assert httpx.get(f"{url}/{was}", headers=headers, trust_env=False).is_success


def taken_out(hands):
    """Return how many artifacts the busiest actor took within an hour; usual are one to three.

    What is usual is of the month before, and another one on another day of the week.
    """
    found = hands.read(evidence_exports.unusual())
    worst = found.detail[0]
    assert worst["within h"] == 1
    assert 1 <= worst["usual"] <= 3
    assert found.value == round(worst["artifacts"] / worst["usual"], 1)
    return worst["artifacts"]


@pytest.mark.holds("evidence_exports.close", "evidence_exports.stop_actors")
@pytest.mark.parametrize("fault", ["exports_burst"], indirect=True)
def test_exports_are_closed_and_the_account_is_stopped(fault, lab, hands):
    """Both are taken back; a person whom the platform does not know is not guessed at."""
    assert taken_out(hands) == 45
    hands.rehearse(evidence_exports.close())
    closed = hands.do(evidence_exports.close())
    assert closed["an export is answered"] == 403
    assert hands.do(evidence_exports.close())["closed before"] is True
    assert hands.undo(evidence_exports.close(), closed)["an export is answered"] != 403

    assert hands.rehearse(evidence_exports.stop_actors())["unusual actors"] == 1
    stopped = hands.do(evidence_exports.stop_actors())
    assert [each["sessions ended"] for each in stopped["stopped"]] == [1]
    assert hands.value(evidence_exports.unusual()) == 0
    assert hands.value(evidence_exports.by_stopped()) == 0
    hands.undo(evidence_exports.stop_actors(), stopped)


@pytest.mark.parametrize("fault", ["exports_burst.unnamed"], indirect=True)
def test_somebody_without_an_account_is_not_stopped(fault, hands):
    """The exports are closed instead, and somebody looks."""
    assert taken_out(hands) == 30
    assert "have no account" in refused(hands, evidence_exports.stop_actors())


@pytest.mark.holds("storage_buckets.close")
@pytest.mark.parametrize("fault", ["bucket_public"], indirect=True)
def test_a_public_bucket_of_evidence_is_closed(fault, hands):
    """A stranger is asked for the proof."""
    seen = hands.read(storage_buckets.open_to_anybody())
    assert seen.value == 1
    assert seen.detail[0]["a stranger is told"] == "HTTP 200"
    assert hands.rehearse(storage_buckets.close())["would close"]
    done = hands.do(storage_buckets.close())
    assert done["open after"] == 0
    assert hands.value(storage_buckets.open_to_anybody()) == 0
    hands.undo(storage_buckets.close(), done)
    assert hands.value(storage_buckets.open_to_anybody()) == 1


@pytest.mark.parametrize("fault", ["brand_bucket"], indirect=True)
def test_a_bucket_of_logos_may_be_public(fault, hands):
    """It holds nothing of a mission."""
    seen = hands.read(storage_buckets.open_to_anybody())
    assert (seen.value, [row["Bucket"] for row in seen.detail]) == (0, ["brand-assets"])


@pytest.mark.holds("purge.hold")
def test_jobs_that_delete_are_held_and_no_others(hands):
    """Views and embeddings are refreshed all the same."""
    rehearsed = hands.rehearse(purge.hold())
    done = hands.do(purge.hold())
    assert [job["jobname"] for job in done["held"]] == [
        "cleanup_telemetry_events",
        "cleanup_mission_sessions",
    ]
    assert rehearsed == done
    assert hands.do(purge.hold())["held"] == []
    hands.undo(purge.hold(), done)
    assert hands.rehearse(purge.hold()) == rehearsed


@pytest.mark.holds("snapshots.seal", undo=False)
def test_a_snapshot_that_was_touched_is_told(hands, nothing_sealed):
    """One letter is enough; the result shows counts and the way, and no row."""
    assert hands.rehearse(SEAL)["would seal"] > 0
    sealed = hands.do(SEAL)
    assert sealed["scope"]["exports"]["people"] == 12
    assert hands.value(snapshots.altered()) == 0
    rows = Path(sealed["snapshot"]) / "rows.jsonl"
    rows.chmod(0o600)
    rows.write_text(rows.read_text().replace("evidence_opened", "evidence_closed", 1))
    assert hands.read(snapshots.altered()).value == 1
    assert "not those that were sealed" in refused(hands, event_tenants.set_right(window=WINDOW))
