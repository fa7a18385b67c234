"""Where a folder of incidents lies: on a disk of this machine, or on a network's file system."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runbook_nb.errors import ParameterError

# proc_pid_mountinfo(5): where it is mounted is the fifth word, its kind the first behind the dash.
MOUNTS: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
# On these a lock excludes nobody, or only where lock daemon and mount options agree on it.
_NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "coda", "ncpfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "gpfs", "pvfs2", "orangefs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone"),
        *("fuse.mount-s3", "fuse.davfs2", "davfs", "fuse.cephfs", "fuse.juicefs", "fuse.goofys"),
    }
)


def demand_own_disk(folder: Path) -> None:
    """Raise ParameterError for a folder on a network's file system: two runs could act at once."""
    kind = _kind_of(folder.resolve())
    if kind in _NETWORK:
        message = (
            f"{folder} is on a network's file system ({kind}), where a lock may exclude nobody: "
            "two runs could act at once. Nothing was written. Have the incidents on a disk of this "
            "machine (`incidents` in the project's file, or RUNBOOK_INCIDENTS). For several "
            "machines, keep the timelines in the store: [store] timelines = true"
        )
        raise ParameterError(message)


def _kind_of(folder: Path) -> str:
    """Return the kind of file system that a folder lies on; empty where nobody can tell."""
    holding = [
        (len(place.parts), kind) for place, kind in _mounts() if folder.is_relative_to(place)
    ]
    # What was mounted last on one place hides what was there before.
    return max(reversed(holding), key=lambda each: each[0])[1] if holding else ""


def _mounts() -> Iterator[tuple[Path, str]]:
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return  # no Linux
    for line in lines:
        before, _, after = line.partition(" - ")
        words, kinds = before.split(" "), after.split(" ")
        if len(words) > 4 and kinds[0]:  # noqa: PLR2004 - the fifth word
            yield Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), words[4])), kinds[0]
