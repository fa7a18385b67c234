"""A folder on a network's file system is refused before anything is written there."""

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.redaction import Redactor
from runbook_nb.timeline import disk
from runbook_nb.timeline.incidents import declare

# As Linux shows them; a space in a path is written in octal.
LINES = r"""
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
70 22 0:51 / {here}/nfs rw,relatime shared:37 - nfs4 10.0.0.5:/export rw,vers=4.2,local_lock=none
71 22 0:52 / {here}/with\040space rw - cifs //files/share rw,vers=3.1.1
72 22 0:53 / {here}/ssh rw,nosuid - fuse.sshfs ada@far:/srv rw,user_id=0
73 70 254:2 / {here}/nfs/own rw - xfs /dev/vdb1 rw
74 22 0:54 / {here}/hidden rw - nfs old:/export rw
75 74 254:3 / {here}/hidden rw - ext4 /dev/vdc1 rw
a line of another form
"""


@pytest.fixture(autouse=True)
def _mounted(tmp_path, monkeypatch):
    file = tmp_path / "mountinfo"
    file.write_text(LINES.replace("{here}", str(tmp_path)))
    monkeypatch.setattr(disk, "MOUNTS", file)


def open_one(folder):
    """Open an incident there, and return its timeline."""
    words = {"title": "T", "severity": "SEV2", "runbook": "r", "environment": "lab", "by": "ada"}
    return declare(folder, incident=None, alert=None, redactor=Redactor(), **words)


@pytest.mark.parametrize(
    ("place", "kind"),
    [("nfs", "nfs4"), ("nfs/deep/er", "nfs4"), ("with space", "cifs"), ("ssh", "fuse.sshfs")],
)
def test_a_folder_on_a_network_is_refused(tmp_path, place, kind):
    """With the way out, and nothing is there afterwards."""
    folder = tmp_path / place
    with pytest.raises(ParameterError, match=rf"\({kind}\).*\[store\] timelines = true"):
        open_one(folder)
    assert not folder.exists()


@pytest.mark.parametrize("place", ["here", "nfs/own", "hidden", "nfs-like"])
def test_a_folder_on_a_disk_of_this_machine_is_not(tmp_path, place):
    """Also on a disk below one, or on top of it."""
    assert open_one(tmp_path / place).path.is_file()


def test_where_nobody_can_tell_nothing_is_refused(tmp_path, monkeypatch):
    """Other systems have no such file."""
    monkeypatch.setattr(disk, "MOUNTS", tmp_path / "none")
    assert open_one(tmp_path / "nfs").path.is_file()
