"""Environments: settings by name, secrets by reference, probes that cannot write."""

import pytest

from runbook_nb.errors import SettingMissingError, WriteRefusedError
from runbook_nb.probes.environment import Environment
from runbook_nb.testing import environ

TOML = """
[environments.staging]
kind = "staging"
[environments.staging.agent]
url = "http://127.0.0.1:9"
heartbeat_interval_s = 30
token = "env:TRIAL_TOKEN"
"""


@pytest.fixture
def staging(write_file, monkeypatch, tmp_path):
    monkeypatch.setenv("RUNBOOK_SETTINGS", str(write_file("settings.toml", TOML)))
    monkeypatch.setenv("RUNBOOK_LAB", str(tmp_path / "no-lab"))
    monkeypatch.setenv("TRIAL_TOKEN", "correct-horse-battery")
    return Environment.load("staging")


def test_settings_come_from_the_file(staging):
    """By system and name."""
    assert staging.kind == "staging"
    assert staging.setting("agent", "heartbeat_interval_s") == "30"


def test_a_variable_wins_over_the_file(staging, monkeypatch):
    """For one run on one machine."""
    monkeypatch.setenv("RUNBOOK_ENVIRONMENTS__STAGING__AGENT__URL", "http://127.0.0.1:10")

    assert Environment.load("staging").setting("agent", "url") == "http://127.0.0.1:10"


def test_a_missing_setting_is_named_with_its_place(staging):
    """What, where, and what next."""
    with pytest.raises(SettingMissingError, match=r"'url' of 'fly'.*environments\.staging\.fly"):
        staging.setting("fly", "url")


def test_an_unknown_environment_is_named_with_the_near_one(staging):
    """Before anything is created."""
    with pytest.raises(SettingMissingError, match="staging"):
        Environment.load("stagin")


def test_the_lab_that_never_started_says_how_to_start_it(staging):
    """It is there by name, so that a notebook opens; what it lacks is named when it is needed."""
    lab = Environment.load("lab")

    assert not lab.is_production
    with pytest.raises(SettingMissingError, match=r"'url' of 'agent'.*runbook lab up"):
        lab.setting("agent", "url")


def test_secrets_are_references_and_known_to_the_redactor(staging):
    """The value is read when it is needed, and masked wherever it turns up."""
    assert staging.secret("agent", "token").get_secret_value() == "correct-horse-battery"
    assert "correct" not in repr(staging.secret("agent", "token"))
    assert staging.redactor().text("got correct-horse-battery") == "got [masked: known value]"


def test_a_secret_in_plain_sight_is_refused():
    """It would end up in a commit."""
    environment = Environment("x", {"kind": "lab", "fly": {"token": "fm2_abcdefghijkl"}})

    with pytest.raises(SettingMissingError, match="must be a reference") as caught:
        environment.secret("fly", "token")
    assert "fm2_abcdefghijkl" not in str(caught.value)


def test_an_environment_of_no_known_kind_is_treated_as_production():
    """Care is the default."""
    assert Environment("x", {}).is_production


def test_a_probe_may_not_send_a_writing_method(staging):
    """It is refused before it leaves this process."""
    asked = []

    with pytest.raises(WriteRefusedError, match="POST"):
        staging.reading(asked).http("agent").request("POST", "/execution/run", json={})
    assert asked == []


def test_broken_toml_is_one_clear_error(write_file, monkeypatch):
    """With the file's name."""
    monkeypatch.setenv("RUNBOOK_SETTINGS", str(write_file("settings.toml", "[broken")))

    with pytest.raises(SettingMissingError, match=r"settings\.toml"):
        Environment.load("staging")


@pytest.mark.parametrize("kind", ["prod", "Production", "PRODUCTION", "", "dev", 7, None, ["lab"]])
def test_a_kind_that_is_none_is_refused_when_it_is_read(kind):
    """In an environment of no known kind a mistake would harm nobody."""
    with pytest.raises(SettingMissingError, match="'eu-1'"):
        Environment("eu-1", {"kind": kind})


def test_an_environment_that_says_no_kind_is_production():
    """Unknown means the careful side."""
    assert Environment("eu-1", {}).is_production


def test_a_kind_from_a_variable_is_held_to_the_same(staging, monkeypatch):
    """However settings come in."""
    monkeypatch.setenv("RUNBOOK_ENVIRONMENTS__STAGING__KIND", "prod")

    with pytest.raises(SettingMissingError, match="production"):
        Environment.load("staging")


@pytest.mark.parametrize(
    "text", ['environments = "hunter2-hunter2"', '[environments]\nstaging = "hunter2-hunter2"']
)
def test_settings_of_another_form_are_refused_without_what_stands_in_them(
    write_file, monkeypatch, tmp_path, text
):
    """A secret that was pasted into them is not printed."""
    monkeypatch.setenv("RUNBOOK_SETTINGS", str(write_file("settings.toml", text)))
    monkeypatch.setenv("RUNBOOK_LAB", str(tmp_path / "no-lab"))

    with pytest.raises(SettingMissingError, match=r"settings\.toml") as caught:
        Environment.load("staging")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("settings", "proof"),
    [
        ({"kind": "lab"}, "named"),
        ({"kind": "staging"}, "signed"),
        ({"kind": "production"}, "signed"),
        ({}, "signed"),
        ({"kind": "staging", "approve": "named"}, "named"),
        ({"kind": "lab", "approve": "signed"}, "signed"),
    ],
)
def test_a_name_is_enough_where_nobody_is_harmed_or_the_file_says_so(settings, proof):
    """What is not said is the careful side."""
    assert Environment("trial", settings).approve == proof


@pytest.mark.parametrize("word", ["name", "Named", "vouched", "", None, ["named"]])
def test_an_unknown_word_for_whose_yes_counts_is_refused(word):
    """It would otherwise mean something to nobody."""
    with pytest.raises(SettingMissingError):
        Environment("trial", {"kind": "staging", "approve": word})


@pytest.mark.parametrize("kind", ['kind = "production"', ""])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNBOOK_ENVIRONMENTS__LIVE__APPROVE", "named"),
        ("RUNBOOK_ENVIRONMENTS__LIVE__KIND", "lab"),
        ("RUNBOOK_ENVIRONMENTS", '{"live": {"approve": "named"}}'),
        ("RUNBOOK_SETTINGS", '[environments.live]\napprove = "named"'),
        ("RUNBOOK_SETTINGS", '[environments.live]\nkind = "staging"'),
    ],
)
def test_no_variable_says_whose_yes_counts(tmp_path, write_file, kind, name, value):
    """Whoever starts a run writes its variables, and the files that they name."""
    write_file("runbook.toml", f"[environments.live]\n{kind}\n")
    told = str(write_file("own.toml", value)) if name == "RUNBOOK_SETTINGS" else value
    with environ(RUNBOOK_PROJECT=str(tmp_path)):
        assert Environment.load("live").approve == "signed"
        with environ(**{name: told}), pytest.raises(SettingMissingError):
            Environment.load("live")
