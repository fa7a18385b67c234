"""Who vouches for a record, what a witness confirms, and where it can be verified."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import IncidentStateError, ParameterError, RecordIntegrityError
from runbook_nb.record.close import close, remake
from runbook_nb.record.page import write_record
from runbook_nb.record.proof import SignerTrust, Witnessed, signing_seal, verify_record
from runbook_nb.timeline.events import Noted, Verdict
from runbook_nb.timeline.folder import ENVELOPE
from story import Story, opened_incident


@pytest.fixture
def incidents(tmp_path):
    """Give the folder of all incidents, with one that is open."""
    folder = tmp_path / "incidents"
    opened_incident(folder)
    return folder


def test_a_sealed_record_has_no_problems_and_a_known_signer(sealed, verified):
    """What was written is what is there, and it was us."""
    found = verified(sealed)

    assert found.problems == ()
    assert found.signer.standing is SignerTrust.OWN
    assert found.verdict is Verdict.PASS


def test_a_record_is_verified_by_any_of_its_files_and_anywhere(sealed, verified, tmp_path):
    """A reviewer has a copy, and none of the project's other files."""
    copy = shutil.copytree(sealed, tmp_path / "elsewhere" / sealed.name)

    for path in (copy, copy / "record.html", copy / ENVELOPE, copy / "runs" / "one.ipynb"):
        assert verified(path).verdict is Verdict.PASS


def test_a_copy_under_another_name_says_whose_record_it_is(sealed, verified, tmp_path):
    """A person names it as they like; it is a warning and no forgery."""
    found = verified(shutil.copytree(sealed, tmp_path / "a copy"))

    assert [each.change for each in found.problems] == ["in a folder of another name"]
    assert found.verdict is Verdict.WARN


def test_a_record_of_an_unknown_key_fits_itself_and_is_no_pass(sealed, thief):
    """Whoever has any key can make a record that fits itself."""
    found = verify_record(sealed, environ=thief)

    assert (found.problems, found.signer.standing) == ((), SignerTrust.UNKNOWN)
    assert found.verdict is Verdict.WARN


def test_a_record_without_a_key_says_so_and_is_no_pass(folder, environ, verified):
    """On its page, and to whoever verifies it."""
    page = write_record(folder, seal=signing_seal({**environ, "RUNBOOK_SIGNING_KEY": "none"}))
    found = verified(folder)

    assert "Not signed." in page.read_text()
    assert "RUNBOOK_SIGNING_KEY is none." in page.read_text()
    assert (found.problems, found.signer.standing) == ((), SignerTrust.NONE)
    assert found.verdict is Verdict.WARN


def test_an_older_state_that_fits_itself_is_found_by_its_witness(sealed, environ):
    """Only the head in the channel tells that there was more."""
    old = shutil.copytree(sealed, sealed.with_name("old") / sealed.name)
    Story(sealed).forge(Noted, text="One more word.")
    write_record(sealed, seal=signing_seal(environ))
    head = verify_record(sealed, environ=environ).digest

    found = verify_record(sealed, head=head[:16].upper(), environ=environ)
    assert (found.problems, found.witnessed) == ((), Witnessed.RECORD)
    (problem,) = verify_record(old, head=head[:16], environ=environ).problems
    assert f"the witness holds {head[:16]}" in problem.said


def test_a_witness_of_the_events_vouches_for_these_alone(sealed, environ):
    """A record can be made anew, with a newer page; its events stay the witnessed ones."""
    before = verify_record(sealed, environ=environ)
    (sealed / "attached.txt").write_text("found later")
    write_record(sealed, seal=signing_seal(environ))

    found = verify_record(sealed, head=before.head, environ=environ)
    assert (found.problems, found.witnessed) == ((), Witnessed.TIMELINE)
    assert verify_record(sealed, head=before.digest, environ=environ).verdict is Verdict.FAIL


@pytest.mark.parametrize("head", ["4f", "4f0c2a91be7", "not a head at all", "0" * 65])
def test_a_witness_that_holds_no_head_is_an_error(sealed, environ, head):
    """One digit fits one record in sixteen."""
    with pytest.raises(ParameterError, match="12 to 64 hexadecimal digits"):
        verify_record(sealed, head=head, environ=environ)


def test_a_folder_without_a_record_cannot_be_judged(tmp_path, verified):
    """That is an error of who asks, not a finding."""
    with pytest.raises(RecordIntegrityError, match="holds no record"):
        verified(tmp_path)
    with pytest.raises(RecordIntegrityError, match="There is no"):
        verified(tmp_path / "typo")


def test_an_open_incident_has_no_record_to_judge(incidents, verified):
    """It says what to type."""
    with pytest.raises(RecordIntegrityError, match=r"still open.*runbook close"):
        verified(incidents / "INC-1")


def test_the_closing_message_holds_what_a_witness_needs(incidents, verified):
    """Both heads and who sealed; the command in it compares every file."""
    done = close(incidents, "INC-1", by="sam")

    assert done.sealed.head in done.message
    assert done.sealed.digest in done.message
    assert done.seal.fingerprint in done.message
    assert done.message.endswith(f"runbook verify INC-1 --head {done.sealed.digest[:16]}")


def test_a_record_that_is_made_anew_has_the_same_head(incidents):
    """The message in the channel stays true while nothing changes."""
    first = close(incidents, "INC-1", by="sam")

    assert remake(incidents, "INC-1").sealed == first.sealed


def test_a_close_that_was_cut_off_before_its_seal_is_finished_by_archive(incidents):
    """The timeline says closed, nothing else is there yet."""
    close(incidents, "INC-1", by="sam")
    for name in (ENVELOPE, "record.json", "record.html"):
        (incidents / "INC-1" / name).unlink()
    (problem,) = verify_record(incidents / "INC-1").problems
    assert "make it: runbook archive" in problem.said

    remake(incidents, "INC-1")
    assert verify_record(incidents / "INC-1").verdict is Verdict.PASS


def change_a_run(incidents):
    """Change what a run left, as a person with an editor does."""
    path = incidents / "INC-1" / "runs" / "added.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")


def test_a_changed_record_is_not_sealed_anew_without_a_word(incidents):
    """Verify would pass, and nobody would know."""
    close(incidents, "INC-1", by="sam")
    change_a_run(incidents)

    for because in ("", "   "):
        with pytest.raises(RecordIntegrityError, match=r"added: runs/added\.ipynb.*--because"):
            remake(incidents, "INC-1", because=because, by="sam")
    assert verify_record(incidents / "INC-1").verdict is Verdict.FAIL


def test_a_record_whose_seal_was_taken_away_is_not_sealed_anew_without_a_word(incidents):
    """That would be the way around it."""
    close(incidents, "INC-1", by="sam")
    change_a_run(incidents)
    (incidents / "INC-1" / ENVELOPE).unlink()

    with pytest.raises(RecordIntegrityError, match="--because"):
        remake(incidents, "INC-1")


def test_a_reason_stays_in_the_record_for_ever(incidents):
    """In the page, the facts, the seal, and what `verify` says; also after the next one."""
    first = close(incidents, "INC-1", by="sam")
    change_a_run(incidents)
    remake(incidents, "INC-1", because="The copy was added by hand.", by="ada")
    remake(incidents, "INC-1")
    found = verify_record(incidents / "INC-1")

    assert (found.problems, found.verdict) == ((), Verdict.PASS)
    (told,) = found.reseals
    assert (told.by, told.because) == ("ada", "The copy was added by hand.")
    assert told.before == first.sealed.digest
    assert told.because in first.page.read_text()
    facts = json.loads((incidents / "INC-1" / "record.json").read_text())
    assert [each["because"] for each in facts["reseals"]] == [told.because]
    printed = CliRunner().invoke(app, ["verify", str(incidents / "INC-1")]).output
    assert told.because in printed


def test_an_open_incident_is_not_sealed(incidents):
    """Its record is made when it closes."""
    with pytest.raises(IncidentStateError):
        remake(incidents, "INC-1")
    assert not (incidents / "INC-1" / ENVELOPE).exists()


def test_a_page_that_was_changed_is_made_anew_from_the_timeline(incidents):
    """What was written into it is gone; nothing else was touched."""
    page = close(incidents, "INC-1", by="sam").page
    page.write_text("Nothing happened.")
    remake(incidents, "INC-1")

    assert verify_record(incidents / "INC-1").verdict is Verdict.PASS
    assert "Nothing happened." not in page.read_text()


def test_the_command_says_who_vouches_and_what_the_witness_confirms(incidents):
    """A reviewer reads four lines; exit code 0."""
    done = close(incidents, "INC-1", by="sam")
    head = done.sealed.digest
    result = CliRunner().invoke(app, ["verify", str(incidents / "INC-1"), "--head", head[:12]])

    assert result.exit_code == 0
    assert result.output.splitlines()[1:] == [
        f"Sealed by {done.seal.fingerprint} (your own key).",
        f"Head of the timeline: {done.sealed.head}",
        f"Head of the whole record: {head}",
        "The witness holds the head of the whole record.",
    ]


def test_the_command_names_what_was_altered_and_exits_with_2(incidents):
    """For a person in a line, for a machine as facts."""
    page = close(incidents, "INC-1", by="sam").page
    page.write_text("Nothing happened.")
    result = CliRunner().invoke(app, ["verify", str(page)])
    told = json.loads(CliRunner().invoke(app, ["verify", str(page), "--json"]).output)

    assert result.exit_code == 2
    assert result.output.startswith("altered: record.html (")
    assert [(each["change"], each["path"]) for each in told["problems"]] == [
        ("altered", "record.html")
    ]
    assert (told["verdict"], told["signer"]["standing"]) == ("fail", "own")
