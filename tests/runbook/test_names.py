"""What is compared later is refused where it would be masked when it is written."""

import json

import pytest

from runbook_nb.errors import ParameterError, RunbookFormatError, SettingMissingError
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook import runbooks_folder
from runbook_nb.runbook.names import demand_plain_names, demand_plain_person
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import runbook_cells

KNOWN = "zq7-correct-horse"


def book(tmp_path, **cells):
    path = tmp_path / "trial.ipynb"
    path.write_text(json.dumps(runbook_cells(**cells)))
    return Runbook.read(path)


@pytest.mark.parametrize(
    "title",
    [
        "Rotate token: ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "Tell ada@example.com",
        f"Use {KNOWN}",
        "Set password=hunter2hunter2",
        "Restart \u202epostgres",
        "Restart 👩\u200d🚒",
    ],
)
def test_a_title_that_would_be_masked_is_refused_and_not_shown(tmp_path, title):
    """As a check, as an action, as an option."""
    redactor = Redactor([KNOWN])
    for cells in (
        {"checks": (title,)},
        {"actions": (title,)},
        {"options": (f"Option A: {title}",)},
    ):
        with pytest.raises(RunbookFormatError) as told:
            demand_plain_names(book(tmp_path, **cells), redactor)
        assert KNOWN not in str(told.value)
        assert "ghp_" not in str(told.value)


def test_an_ordinary_title_stays_whatever_the_password_is(tmp_path):
    """A database whose password is `postgres` does not blank the word."""
    redactor = Redactor(
        ["postgresql://postgres:postgres@h/d", "production"], words=frozenset({"orders"})
    )
    redactor.learn(["orders"])

    demand_plain_names(book(tmp_path, actions=("Restart postgres",)), redactor)
    text = "The production database of orders, postgres, answers. 👍"
    assert redactor.text(text) == text


@pytest.mark.parametrize("path", sorted(runbooks_folder().glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_shipped_runbook_is_named_plainly(path):
    """The rule fits what it is for."""
    runbook = Runbook.read(path)

    demand_plain_names(runbook, Redactor(allowed=runbook.contacts))


def test_a_person_may_be_an_address_and_no_secret():
    """Approvals are held to it."""
    assert demand_plain_person("ada@example.com", Redactor()) == "ada@example.com"
    with pytest.raises(ParameterError) as told:
        demand_plain_person(f"ada {KNOWN}", Redactor([KNOWN]))
    assert KNOWN not in str(told.value)


@pytest.mark.parametrize("name", ["ghp_0123456789abcdefghijABCDEFGHIJ012345", "a@example.com"])
def test_an_environment_that_looks_like_a_secret_is_refused(name):
    """It is compared with that of each incident."""
    with pytest.raises(SettingMissingError) as told:
        Environment.load(name)
    assert name not in str(told.value)


def test_a_weak_secret_is_named_by_its_setting_and_not_by_its_value(monkeypatch):
    """Once, where it can be changed."""
    monkeypatch.setenv("WEAK", "postgresql://reader:postgres@db/x")
    monkeypatch.setenv("SHORT", "abc12")
    monkeypatch.setenv("STRONG", "postgresql://reader:zq7-correct-horse@db/x")
    environment = Environment(
        "staging",
        {
            "kind": "staging",
            "orders": {"reader": "env:WEAK"},
            "queue": {"token": "env:SHORT"},
            "users": {"reader": "env:STRONG"},
        },
    )
    said = environment.weak_secrets()

    assert len(said) == 2
    assert "'orders'" in said[0]
    assert "'queue'" in said[1]
    assert not any(value in line for line in said for value in ("abc12", "postgres"))
