"""The folder of incidents knows every path, and which folder is an incident."""

import subprocess

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder

SOURCES = "src/runbook_nb"


@pytest.fixture
def incidents(tmp_path):
    """Give a folder of two incidents and of what is none."""
    for name in ("INC-2", "INC-1"):
        (tmp_path / name).mkdir()
        IncidentFolder(tmp_path / name).timeline.touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "INC-3").write_text("no folder")
    return IncidentsFolder(tmp_path)


def test_a_folder_with_a_timeline_is_an_incident(incidents):
    """Nothing else is: not its name, not that it is a folder."""
    assert [each.name for each in incidents.all()] == ["INC-1", "INC-2"]
    assert incidents.incident("INC-1").is_incident
    assert not incidents.incident("notes").is_incident
    assert not incidents.incident("INC-3").is_incident


def test_an_incident_knows_the_folder_it_lies_in(incidents):
    """So whoever holds one finds its neighbours."""
    assert incidents.incident("INC-1").incidents == incidents


@pytest.mark.parametrize("name", ["../INC-1", "", ".hidden", "a/b"])
def test_no_id_leads_out_of_the_folder(incidents, name):
    """An id from outside is a name, never a path."""
    with pytest.raises(ParameterError, match="cannot be an incident id"):
        incidents.incident(name)


def test_a_working_copy_belongs_to_the_incident_above_it(incidents):
    """Where it stands says so; a notebook elsewhere belongs to none."""
    incident = incidents.incident("INC-1")

    assert IncidentFolder.of_working_copy(incident.working_copy("a.ipynb")) == incident
    assert IncidentFolder.of_working_copy(incident.executed("a")) is None
    loose = incidents.incident("notes").working_copy("a.ipynb")
    assert IncidentFolder.of_working_copy(loose) is None


def test_one_module_knows_the_names(pytestconfig):
    """Another module that spells one would keep its own opinion of where things are."""
    names = ("timeline.jsonl", "record.html", "record.dsse.json", ".acting", ".validations")
    for name in names:
        found = subprocess.run(
            ["grep", "-rlF", "--include=*.py", f'"{name}"', SOURCES],
            cwd=pytestconfig.rootpath,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.split() == [f"{SOURCES}/timeline/folder.py"]


def test_an_incident_that_is_a_link_is_refused_and_in_no_list(tmp_path):
    """What is written there would land elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "timeline.jsonl").touch()
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "INC-5").symlink_to(tmp_path / "elsewhere")
    incidents = IncidentsFolder(tmp_path / "incidents")

    with pytest.raises(ParameterError, match="is a link"):
        incidents.incident("INC-5")
    assert list(incidents.all()) == []
    assert incidents.incident("INC-6").path == tmp_path / "incidents" / "INC-6"
