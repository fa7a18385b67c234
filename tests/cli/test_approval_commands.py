"""Who says yes in a terminal: a key that is shown, and an approval that is signed with it."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import ApprovalError, IncidentStateError, SettingMissingError
from runbook_nb.incident.statement import signer
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import environ
from runbook_nb.timeline.events import Approved, Closed, Started
from signers import key_file, make_signer
from story import opened_incident

RUNBOOK, OPTION = "heartbeat_failure_recovery", "Option A: Restart the agent"


@pytest.fixture
def ada(tmp_path):
    """A project with two environments and one person who may approve."""
    ada = make_signer(tmp_path / "keys", "ada@company.com")
    places = '[environments.live]\nkind = "production"\n[environments.trial]\nkind = "lab"\n'
    (tmp_path / "runbook.toml").write_text(f"{places}{ada.table}")
    (tmp_path / "notebooks").symlink_to(Runbook.find(RUNBOOK).path.parent)
    with environ(RUNBOOK_PROJECT=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "config")):
        yield ada


@pytest.fixture
def diagnosed(tmp_path, ada):
    """Return the timeline of an incident that a run diagnosed."""

    def diagnosed(environment="live"):
        runbook = Runbook.find(RUNBOOK)
        timeline = opened_incident(
            tmp_path / "incidents",
            incident="INC-7",
            title="Streams freeze",
            runbook=RUNBOOK,
            environment=environment,
        )
        began = {"run": "r", "by": "alertmanager", "at": datetime.now(UTC), "parameters": {}}
        digests = {"runbook_digest": runbook.digest, "parameters_digest": "p" * 64, "code": "c"}
        ran = Started(**began, **digests, runbook=RUNBOOK, environment=environment, attended=False)
        timeline.append(ran)
        return timeline

    return diagnosed


def runbook(*words):
    """Type a command; what it refuses is raised."""
    done = CliRunner().invoke(app, [*words], catch_exceptions=False, standalone_mode=False)
    return done.stdout


def test_a_key_is_made_once_and_says_what_to_add_to_the_settings(ada):
    """Whoever has none types one command."""
    told, again = runbook("key"), runbook("key")

    assert told == again
    fingerprint = told.split()[0]
    assert f'keys = ["{fingerprint}"]' in told


def test_a_key_that_the_settings_name_is_whose_it_is(tmp_path, ada):
    """One file, or another."""
    told = runbook("key", "--key", str(key_file(tmp_path / "keys", ada.name)))

    assert told.startswith(ada.seal.fingerprint)
    assert ada.name in told
    with pytest.raises(SettingMissingError):
        runbook("key", "--key", str(tmp_path / "none.pem"))


@pytest.mark.parametrize("label", ["ceo@company.com", "alertmanager", "bob"])
def test_an_approval_is_the_key_owners_whatever_is_typed(tmp_path, ada, diagnosed, label):
    """A label labels what no key signs, and nothing else."""
    timeline = diagnosed()
    key = str(key_file(tmp_path / "keys", ada.name))
    with environ(RUNBOOK_ACTOR=label):
        told = runbook("approve", "INC-7", "A", "--key", key, "--as", label)

    yes = timeline.last(Approved)
    assert (yes.by, signer(yes)) == (ada.name, ada.seal.fingerprint)
    assert (yes.option, yes.parameters, yes.incident) == (OPTION, "p" * 64, "INC-7")
    assert f"By: {ada.name}, with the key" in told
    assert label not in told


def test_the_users_own_key_signs_where_none_is_named(tmp_path, diagnosed, ada):
    """A setting names its file."""
    timeline = diagnosed()
    with environ(RUNBOOK_SIGNING_KEY=str(key_file(tmp_path / "keys", ada.name))):
        runbook("approve", "INC-7", "A")

    assert signer(timeline.last(Approved)) == ada.seal.fingerprint


def test_without_a_key_production_is_not_approved(diagnosed):
    """The error says how to make one, and nothing is written."""
    timeline = diagnosed()
    before = timeline.path.read_bytes()
    for words in (("--as", "ceo@company.com"), (), ("--key", "none.pem")):
        with pytest.raises(ApprovalError, match="runbook key"):
            runbook("approve", "INC-7", "A", *words)
    with environ(RUNBOOK_SIGNING_KEY="none"), pytest.raises(ApprovalError):
        runbook("approve", "INC-7", "A")

    assert timeline.path.read_bytes() == before


def test_in_the_lab_a_label_is_enough_and_only_says_so(diagnosed):
    """However it was typed."""
    timeline = diagnosed("trial")
    told = runbook("approve", "INC-7", "A", "--as", " Alice\u200b ")

    assert (timeline.last(Approved).by, timeline.last(Approved).signature) == ("Alice", "")
    assert "says to be Alice" in told


def test_a_closed_incident_is_not_approved(tmp_path, ada, diagnosed):
    """Neither by a name nor by a key."""
    timeline = diagnosed()
    timeline.append(Closed(at=datetime.now(UTC), by="sam"))

    for words in (("--key", str(key_file(tmp_path / "keys", ada.name))), ()):
        with pytest.raises(IncidentStateError):
            runbook("approve", "INC-7", "A", *words)
    assert isinstance(timeline[-1], Closed)
