"""Whatever is changed in a record is found and named, and so is who vouches for it."""

import json
import random
import shutil
from pathlib import Path

import nbformat
import pytest

from runbook_nb.archive import write_record
from runbook_nb.errors import ParameterError, RecordIntegrityError
from runbook_nb.model import Noted, Verdict
from runbook_nb.proof import ENVELOPE, Seal, Standing, signing_seal, verify_record
from runbook_nb.proof.envelope import EnvelopeError, read_envelope
from story import Story, healthy, heartbeat

REGIONS = 24  # places sampled in each file


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    """Give the settings of a user who has no key yet."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Give the folder of a closed incident with one run."""
    path = tmp_path / "INC-2041"
    heartbeat(path)
    cell = nbformat.v4.new_code_cell("incident.check()", outputs=[])
    (path / "runs").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path / "runs" / "one.ipynb")
    return path


@pytest.fixture
def sealed(folder, environ) -> Path:
    """Give a sealed record."""
    write_record(folder, seal=signing_seal(environ))
    return folder


def test_a_sealed_record_has_no_problems_and_a_known_signer(sealed, environ):
    """What was written is what is there, and it was us."""
    found = verify_record(sealed, environ=environ)

    assert found.problems == ()
    assert found.signer.standing is Standing.OWN
    assert found.verdict is Verdict.PASS


def test_a_record_is_verified_by_any_of_its_files_and_anywhere(sealed, environ, tmp_path):
    """A reviewer has a copy, and none of the project's other files."""
    copy = shutil.copytree(sealed, tmp_path / "elsewhere" / "a copy")

    for path in (copy, copy / "record.html", copy / ENVELOPE):
        assert verify_record(path, environ=environ).verdict is Verdict.PASS


def _altered(content: bytes, place: int, kind: str) -> bytes:
    match kind:
        case "flip":
            return content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]
        case "insert":
            return content[:place] + b" " + content[place:]
        case "delete":
            return content[:place] + content[place + 1 :]
        case _:
            return content[:place]


@pytest.mark.parametrize("kind", ["flip", "insert", "delete", "truncate"])
def test_a_changed_byte_anywhere_is_found_and_its_file_is_named(sealed, environ, kind):
    """Every file of the record, at many places of each, the first and the last byte too."""
    chance = random.Random(kind)  # noqa: S311 - places to look at, no secret
    for path in [path for path in sorted(sealed.rglob("*")) if path.is_file()]:
        content = path.read_bytes()
        places = {0, len(content) - 1, *chance.sample(range(len(content)), REGIONS)}
        for place in sorted(places):
            path.write_bytes(_altered(content, place, kind))
            problems = verify_record(sealed, environ=environ).problems
            assert any(path.name in problem for problem in problems), (path, place)
        path.write_bytes(content)
    assert verify_record(sealed, environ=environ).problems == ()


def test_files_added_and_removed_are_named(sealed, environ):
    """Also a hidden one: what has content can carry something."""
    (sealed / "runs" / "one.ipynb").unlink()
    (sealed / "runs" / ".smuggled").write_text("new")
    (sealed / "note.txt").write_text("new")

    assert verify_record(sealed, environ=environ).problems == (
        "added: note.txt",
        "added: runs/.smuggled",
        "removed: runs/one.ipynb",
    )


def test_locks_and_copies_of_editors_do_not_break_a_seal(sealed, environ):
    """A tab that is still open writes its own copy on, and nothing else."""
    (sealed / ".acting").touch()
    (sealed / "working").mkdir()
    (sealed / "working" / "one.ipynb").write_text("{}")
    (sealed / "runs" / ".ipynb_checkpoints").mkdir()
    (sealed / "runs" / ".ipynb_checkpoints" / "one-checkpoint.ipynb").write_text("{}")

    assert verify_record(sealed, environ=environ).problems == ()


def test_who_cuts_the_story_and_makes_the_record_anew_is_found(sealed, environ, tmp_path):
    """Without the key the new seal is another one, and the old one does not fit."""
    old = (sealed / ENVELOPE).read_bytes()
    lines = (sealed / "timeline.jsonl").read_bytes().splitlines(keepends=True)
    (sealed / "timeline.jsonl").write_bytes(b"".join(lines[:-3]))
    thief = {"XDG_CONFIG_HOME": str(tmp_path / "thief")}
    write_record(sealed, seal=signing_seal(thief))

    assert verify_record(sealed, environ=environ).signer.standing is Standing.UNKNOWN
    assert verify_record(sealed, environ=environ).verdict is Verdict.WARN
    (sealed / ENVELOPE).write_bytes(old)
    assert "altered: timeline.jsonl" in verify_record(sealed, environ=environ).problems


def test_an_older_seal_does_not_fit_a_longer_story(folder, environ):
    """Replaying what was once true does not help."""
    write_record(folder, seal=signing_seal(environ))
    old = (folder / ENVELOPE).read_bytes()
    Story(folder).tell(Noted, text="One more word.")
    write_record(folder, seal=signing_seal(environ))
    (folder / ENVELOPE).write_bytes(old)

    assert "altered: timeline.jsonl" in verify_record(folder, environ=environ).problems


def test_an_older_state_that_fits_itself_is_found_by_its_witness(folder, environ):
    """Only the head in the channel tells that there was more."""
    write_record(folder, seal=signing_seal(environ))
    shutil.copytree(folder, folder.with_name("old"))
    Story(folder).tell(Noted, text="One more word.")
    write_record(folder, seal=signing_seal(environ))
    head = verify_record(folder, environ=environ).head

    assert verify_record(folder, head=head[:16], environ=environ).problems == ()
    problems = verify_record(folder.with_name("old"), head=head[:16], environ=environ).problems
    assert "older state" in problems[0]


def test_a_witness_of_few_digits_is_none(sealed, environ):
    """One digit fits one record in sixteen."""
    with pytest.raises(ParameterError, match="at least 12"):
        verify_record(sealed, head="4f", environ=environ)


def test_facts_that_are_not_those_of_the_timeline_are_found_though_sealed(sealed, environ):
    """Also who holds the key cannot tell another story than the events do."""
    from runbook_nb.proof import seal_record

    facts = json.loads((sealed / "record.json").read_text())
    facts["record"]["verdict"] = "warn"
    (sealed / "record.json").write_text(json.dumps(facts))
    was = read_envelope(sealed / ENVELOPE)
    seal_record(
        sealed, incident="INC-2041", head=was.head, made_by=was.made_by, seal=signing_seal(environ)
    )

    assert verify_record(sealed, environ=environ).problems == (
        "altered: record.json (its facts are not those of the timeline)",
    )


def test_another_timeline_that_fits_itself_is_found(sealed, environ):
    """A chain that was written anew is not the one that was sealed."""
    (sealed / "timeline.jsonl").unlink()
    healthy(sealed)

    problems = verify_record(sealed, environ=environ).problems
    assert "altered: timeline.jsonl" in problems
    assert "timeline.jsonl: its head hash is not the one that was sealed." in problems


def test_a_record_without_a_key_says_so_and_is_no_pass(folder, environ):
    """On its page, and to whoever verifies it."""
    reason = "RUNBOOK_SIGNING_KEY is none."
    page = write_record(folder, seal=signing_seal({**environ, "RUNBOOK_SIGNING_KEY": "none"}))
    found = verify_record(folder, environ=environ)

    assert "Not signed." in page.read_text()
    assert reason in page.read_text()
    assert (found.problems, found.signer.standing) == ((), Standing.NONE)
    assert found.verdict is Verdict.WARN


def test_a_signature_that_was_taken_away_is_found(sealed, environ):
    """A signed statement without its signature is not an unsigned one."""
    envelope = json.loads((sealed / ENVELOPE).read_text())
    import rfc8785

    (sealed / ENVELOPE).write_bytes(rfc8785.dumps({**envelope, "signatures": []}) + b"\n")

    with pytest.raises(EnvelopeError, match="signature is missing"):
        read_envelope(sealed / ENVELOPE)
    assert ENVELOPE in verify_record(sealed, environ=environ).problems[0]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b'{"payload": 3}'])
def test_an_envelope_that_is_none_is_a_problem_and_no_crash(sealed, environ, content):
    """Proof that is broken proves nothing."""
    (sealed / ENVELOPE).write_bytes(content)

    (problem,) = verify_record(sealed, environ=environ).problems
    assert problem.startswith(f"altered: {ENVELOPE}")


def test_a_seal_that_was_taken_away_is_named(sealed, environ):
    """Without it nothing is proven."""
    (sealed / ENVELOPE).unlink()

    assert verify_record(sealed, environ=environ).verdict is Verdict.FAIL


def test_a_folder_without_a_record_cannot_be_judged(tmp_path, environ):
    """That is an error of who asks, not a finding."""
    with pytest.raises(RecordIntegrityError, match="holds no record"):
        verify_record(tmp_path, environ=environ)


def test_the_key_is_made_once_and_for_its_owner_alone(environ, tmp_path):
    """The second record has the same signer."""
    first, second = signing_seal(environ), signing_seal(environ)

    path = tmp_path / "config" / "runbook" / "signing_key.pem"
    assert first.fingerprint == second.fingerprint
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["signing_key.pem"]


def test_a_key_that_others_can_read_is_refused(environ, tmp_path):
    """It says what to type; the incident is closed unsigned."""
    signing_seal(environ)
    path = tmp_path / "config" / "runbook" / "signing_key.pem"
    path.chmod(0o644)

    assert signing_seal(environ).key is None
    assert f"chmod 600 {path}" in signing_seal(environ).reason


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_read_gives_the_reason(tmp_path, content):
    """Nobody is left without a record because of a file."""
    path = tmp_path / "key.pem"
    path.write_text(content)
    path.chmod(0o600)
    seal = signing_seal({"RUNBOOK_SIGNING_KEY": str(path)})

    assert seal == Seal(reason=seal.reason)
    assert str(path) in seal.reason


def test_a_named_key_that_is_missing_is_not_made(tmp_path):
    """A typing error must not become a key that nobody knows."""
    seal = signing_seal({"RUNBOOK_SIGNING_KEY": str(tmp_path / "typo.pem")})

    assert "No such file" in seal.reason
    assert not list(tmp_path.iterdir())


def test_a_key_of_a_colleague_is_trusted_by_name(sealed, environ, tmp_path):
    """Their fingerprint stands in our file."""
    fingerprint = verify_record(sealed, environ=environ).signer.fingerprint
    other = {"XDG_CONFIG_HOME": str(tmp_path / "other")}
    place = tmp_path / "other" / "runbook"
    place.mkdir(parents=True)
    (place / "trusted_keys").write_text(f"# colleagues\n{fingerprint} Jo of Operations\n")
    found = verify_record(sealed, environ=other)

    assert (found.signer.standing, found.signer.name) == (Standing.TRUSTED, "Jo of Operations")
    assert found.verdict is Verdict.PASS
    assert not (place / "signing_key.pem").exists()
