"""People and their keys stand in a project's file, and each key is one person's."""

import pytest

from runbook_nb.errors import ParameterError, ProjectError
from runbook_nb.project import Project
from runbook_nb.runbook.people import People, read_people, same_person, tidy_name
from signers import Device

ADA, BOB = f"SHA256:{'A' * 43}", f"SHA256:{'B' * 43}"


def people(folder, text, file="runbook.toml"):
    (folder / file).write_text(text)
    return read_people(Project.read(folder))


@pytest.mark.parametrize(
    ("file", "table"),
    [("runbook.toml", "people"), ("pyproject.toml", "tool.runbook.people")],
)
def test_a_key_says_who_somebody_is(tmp_path, file, table):
    """In a file of the project's own, or in the one that it shares."""
    text = f"""
[{table}."ada@company.com"]
keys = ["{ADA}"]
may = ["approve"]
[{table}.Bob]
keys = ["{BOB}"]
"""
    found = people(tmp_path, text, file)

    assert found.owner(ADA).name == "ada@company.com"
    assert found.owner(ADA).may_approve
    assert not found.owner(BOB).may_approve
    assert found.owner(f"SHA256:{'C' * 43}") is None


def test_a_passkey_is_known_by_its_fingerprint(tmp_path):
    """It stands whole in the file, since the page must name it to the device."""
    passkey = Device().passkey
    (person,) = people(tmp_path, f'[people.Ada]\nkeys = ["{ADA}", "{passkey}"]').persons

    assert person.keys == (ADA, passkey.fingerprint)
    assert person.passkeys == (passkey,)
    with pytest.raises(ParameterError, match="/passkey shows one"):
        people(tmp_path, '[people.Ada]\nkeys = ["passkey:half"]')
    two = f'[people.Ada]\nkeys = ["{passkey}"]\n[people.Bob]\nkeys = ["{passkey}"]'
    with pytest.raises(ParameterError, match="one of them has it"):
        people(tmp_path, two)


def test_without_people_nobody_is_known(tmp_path):
    """Neither in a project that names none."""
    assert people(tmp_path, "") == People()
    assert people(tmp_path, "[people.Ada]").persons[0].keys == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('people = ["ada"]', "people"),
        ('people = { ada = "SHA256:x" }', "people.ada"),
        ('[people.ada]\nkeys = ["SHA256:x"]', "`keys`"),
        ('[people.ada]\nkeys = "SHA256:x"', "`keys`"),
        (f'[people.ada]\nkeys = ["{ADA}"]\nmay = ["aprove"]', "'aprove'"),
        (f'[people.ada]\nkey = ["{ADA}"]', "`key`"),
        (f'[people.ada]\nkeys = ["{ADA}"]\n[people.bob]\nkeys = ["{ADA}"]', ADA),
        ('[people."alice"]\n[people."Alice"]', "'alice'"),
        ('[people."alice "]', "'alice'"),
        ('[people.""]', "people"),
    ],
    ids=[
        "no table",
        "no table of a person",
        "no fingerprint",
        "no list",
        "no such right",
        "no such key",
        "one key of two",
        "one name of two",
        "a name with a blank",
        "no name",
    ],
)
def test_a_wrong_table_is_one_error_with_file_and_place(tmp_path, text, named):
    """A slip of the pen must not become trust, nor silently lose it."""
    with pytest.raises((ParameterError, ProjectError)) as told:
        people(tmp_path, text)
    assert "runbook.toml" in str(told.value)
    assert named in str(told.value)


@pytest.mark.parametrize("name", ["ada", "Ada ", " ADA", "a\uff44a", "ada\u00a0", "a\u200bda"])
def test_one_person_is_one_however_the_name_is_typed(name):
    """Blanks, capitals, wide letters and what nobody sees are no difference."""
    assert same_person(name, "ada")


def test_a_name_within_another_is_another(tmp_path):
    """And a name is shown as it was written, without what is not seen."""
    assert not same_person("ada", "ada.b")
    assert tidy_name(" Ada\u00a0 Byron\n") == "Ada Byron"
