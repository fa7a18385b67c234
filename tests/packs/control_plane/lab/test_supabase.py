"""The emulators for Supabase answer as the vendor's documents say."""

import httpx
import psycopg
import pytest

from runbook_nb.packs.control_plane.lab.emulators.supabase_management import REF

pytestmark = pytest.mark.lab


@pytest.fixture
def storage(view):
    """Open the Storage API with the service key."""
    key = view.lab.secret("supabase_storage.token")
    headers = {"authorization": f"Bearer {key}", "apikey": key}
    url = view.url("supabase_storage") + "/storage/v1"
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def management(view):
    """Open the Management API."""
    key = view.lab.secret("supabase_management.token")
    url = view.url("supabase_management") + "/v1/projects"
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client


def test_an_object_is_written_listed_read_and_deleted(storage):
    """The vendor's clients send a form; the body as it is will do too."""
    path = "/object/evidence/trial/one.txt"
    sent = storage.post(path, files={"": ("one.txt", b"first", "text/plain")})
    assert sent.json()["Key"] == "evidence/trial/one.txt"
    assert storage.get(path).content == b"first"
    assert storage.post(path, content=b"second").json()["error"] == "Duplicate"
    assert storage.post(path, content=b"second", headers={"x-upsert": "true"}).status_code == 200

    listed = storage.post("/object/list/evidence", json={"prefix": "trial"}).json()
    assert [(each["name"], each["metadata"]["size"]) for each in listed] == [("one.txt", 6)]
    gone = storage.request("DELETE", "/object/evidence", json={"prefixes": ["trial/one.txt"]})
    assert [each["name"] for each in gone.json()] == ["trial/one.txt"]
    assert storage.head(path).status_code == 400


def test_a_missing_object_is_400_with_404_inside(storage):
    """As the service has it."""
    answer = storage.get("/object/evidence/no/such")

    assert answer.status_code == 400
    assert answer.json() == {
        "statusCode": "404",
        "error": "not_found",
        "message": "Object not found",
    }


def test_a_signed_address_needs_no_key(view, storage):
    """And opens the one object alone."""
    storage.post("/object/evidence/trial/two.txt", content=b"second")
    signed = storage.post("/object/sign/evidence/trial/two.txt", json={"expiresIn": 60}).json()
    root = view.url("supabase_storage") + "/storage/v1"
    assert httpx.get(root + signed["signedURL"], trust_env=False).content == b"second"
    other = signed["signedURL"].replace("two", "one")
    assert httpx.get(root + other, trust_env=False).json()["error"] == "InvalidJWT"
    storage.delete("/object/evidence/trial/two.txt")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_storage_refuses_a_stranger(view, headers):
    """Without the key nothing is told."""
    url = view.url("supabase_storage") + "/storage/v1/bucket"

    assert httpx.get(url, headers=headers, trust_env=False).status_code == 400


def test_the_backups_are_listed_with_their_window(view, management):
    """A month of nights; the newest is there soon after the lab is up."""
    assert view.eventually(
        lambda: len(management.get(f"/{REF}/database/backups").json()["backups"]) == 32, within_s=10
    )
    answer = management.get(f"/{REF}/database/backups").json()
    assert answer["pitr_enabled"] is True
    assert {each["status"] for each in answer["backups"]} == {"COMPLETED"}
    assert answer["physical_backup_data"].keys() == {
        "earliest_physical_backup_date_unix",
        "latest_physical_backup_date_unix",
    }


def test_a_restore_needs_a_moment_within_the_window(management):
    """Another is refused in words."""
    path = f"/{REF}/database/backups/restore-pitr"

    assert management.post(path, json={}).status_code == 400
    assert management.post(path, json={"recovery_time_target_unix": 1}).status_code == 400
    assert management.post("/other/database/backups/restore-pitr").status_code == 404


def test_management_refuses_a_stranger(view):
    """Without the token nothing is told."""
    url = f"{view.url('supabase_management')}/v1/projects/{REF}"

    assert httpx.get(url, trust_env=False).status_code == 401


def test_a_bucket_is_made_opened_limited_and_deleted(view, storage):
    """A public one is read by anybody; a limit refuses what is larger or of another type."""
    assert storage.post("/bucket", json={"id": "trial"}).json() == {"name": "trial"}
    assert storage.post("/bucket", json={"id": "trial"}).json()["error"] == "Duplicate"
    storage.post("/object/trial/one.txt", content=b"one", headers={"content-type": "text/plain"})
    anybody = view.url("supabase_storage") + "/storage/v1/object/public/trial/one.txt"
    assert httpx.get(anybody, trust_env=False).json()["message"] == "Bucket not found"

    rules = {"public": True, "file_size_limit": 4, "allowed_mime_types": ["text/plain"]}
    assert storage.put("/bucket/trial", json=rules).is_success
    assert httpx.get(anybody, trust_env=False).content == b"one"
    large = storage.post("/object/trial/two.txt", content=b"large", headers={"content-type": "a/b"})
    assert large.json()["statusCode"] == "413"
    other = storage.post("/object/trial/two.txt", content=b"two", headers={"content-type": "a/b"})
    assert other.json()["statusCode"] == "415"

    assert storage.delete("/bucket/trial").json()["statusCode"] == "409"
    storage.delete("/object/trial/one.txt")
    assert storage.delete("/bucket/trial").is_success


def test_what_storage_knows_stands_in_the_database(view, storage):
    """The size and the hash of each object, until it is gone."""
    known = "select metadata ->> 'size' from storage.objects where name = 'trial/three.txt'"
    storage.post("/object/evidence/trial/three.txt", content=b"three")
    with psycopg.connect(view.lab.dsn(), autocommit=True) as connection:
        assert connection.execute(known).fetchone() == ("5",)
        storage.delete("/object/evidence/trial/three.txt")
        assert connection.execute(known).fetchone() is None


def test_keys_are_listed_with_their_age_and_never_in_full(management):
    """As the Management API shows them."""
    listed = management.get(f"/{REF}/api-keys").json()

    assert [key["type"] for key in listed] == ["publishable", "secret"]
    assert all(key["inserted_at"] and key["api_key"].endswith("·") for key in listed)
