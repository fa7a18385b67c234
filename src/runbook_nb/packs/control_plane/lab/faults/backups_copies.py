"""A restored copy that somebody left running: a second server on the files of a backup."""

import json
import os
import pwd
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.lab.backups import RESTORES, end_copies, manifests
from runbook_nb.packs.control_plane.lab.faults.backups_shapes import prove, unprove
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import until
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.binaries import programs_for
from runbook_nb.timeline.store.embedded.cluster import ENVIRONMENT
from runbook_nb.timeline.store.embedded.processes import (
    ServerAccount,
    server_account,
    start_detached,
)

_OWNER: Final = "postgres"
_ACCESS: Final = "local all all peer map=restore\n"


def _leave_copy(lab: LabState) -> None:
    """Restore the newest backup into a server of its own, note the proof, and go home."""
    backup, about = next(each for each in manifests(lab.folder).items() if "tables" in each[1])
    account = server_account()
    copy = lab.folder / RESTORES / "copy"
    copy.mkdir(mode=0o711)
    shutil.copytree(backup / "data", copy / "data", symlinks=True)
    (copy / "data").chmod(0o700)
    (copy / "access.conf").write_text(_ACCESS, encoding="utf-8")
    who = pwd.getpwuid(os.geteuid()).pw_name
    (copy / "names.conf").write_text(f"restore {who} {_OWNER}\n", encoding="utf-8")
    socket = Path(tempfile.mkdtemp(prefix="restored-"))
    socket.chmod(0o711)
    _give(account, socket, copy, *copy.rglob("*"))
    _serve(lab, copy, socket=socket, account=account)
    prove(lab, at=datetime.now(UTC).isoformat(), reached=about["started_at"])


def _serve(lab: LabState, copy: Path, *, socket: Path, account: ServerAccount | None) -> None:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "hba_file": str(copy / "access.conf"),
        "ident_file": str(copy / "names.conf"),
        "archive_mode": "off",
        "default_transaction_read_only": "on",
        "shared_preload_libraries": "",
        "logging_collector": "off",
    }
    server = start_detached(
        [
            *(programs_for(account, copy=lab.folder / "binaries") / "postgres",),
            *("-D", copy / "data", "-p", "5432"),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ],
        log=copy / "server.log",
        account=account,
        environment=ENVIRONMENT,
    )
    about = {"pid": server.pid, "socket": str(socket), "user": _OWNER}
    (copy / "copy.json").write_text(json.dumps(about), encoding="utf-8")
    ready = copy / "data" / "postmaster.pid"
    until(
        lambda: ready.exists() and "ready" in ready.read_text(encoding="utf-8"),
        within_s=15,
        otherwise="The copy does not run",
    )


def _give(account: ServerAccount | None, *paths: Path) -> None:
    """Hand files over to the account that runs PostgreSQL."""
    if account is not None:
        for path in paths:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _end_copy(lab: LabState) -> None:
    end_copies(lab.folder)
    unprove(lab)


FAULTS: Final = (
    Fault(
        name="copy_left",
        title="Somebody proved a restore and left the copy running, with all that customers have",
        inject=_leave_copy,
        heal=_end_copy,
    ),
)
