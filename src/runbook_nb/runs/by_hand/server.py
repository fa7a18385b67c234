"""One JupyterLab for a folder of incidents: found if it runs, started if it does not.

The server holds a lock for as long as it lives, whatever ends it. So what an earlier server left
behind is never taken for a running one, and two commands at once start one server.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import stat
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

from runbook_nb.errors import RunbookError
from runbook_nb.incident.context import WorkingCopy
from runbook_nb.project import handed_on
from runbook_nb.runbook import runbooks_folder
from runbook_nb.text.files import PRIVATE_FOLDER, make_folder
from runbook_nb.timeline.folder import IncidentsFolder

_PATIENCE_S: Final = 60.0  # a start takes seconds, on a busy machine some more


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: where it listens, and the token that lets a browser in."""

    url: str
    token: str

    def page(self, place: str) -> str:
        """Return the address of a page with its token."""
        return f"{self.url.rstrip('/')}{place}?token={self.token}"


def show(
    copy: WorkingCopy | None, *, incidents: Path, browser: bool, say: Callable[[str], None]
) -> None:
    """Open a working copy, or the list of runbooks, in the JupyterLab of these incidents.

    Does not return where it becomes that server. Raises RunbookError without JupyterLab.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        place = copy.path if copy else runbooks_folder()
        message = (
            "JupyterLab is not installed. Install it with pip install 'runbook-nb[notebook]', "
            f"or open {place} in any editor of notebooks."
        )
        raise RunbookError(message)
    state = IncidentsFolder(incidents).jupyterlab
    _demand_own(state)
    page = page_of(copy)
    # The lock goes on into the server, which never closes it.
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    if _taken(lock):
        os.set_inheritable(lock, True)  # noqa: FBT003 - the system call's own signature
        _become_server(incidents, page, browser=browser)
    os.close(lock)
    server = _running(state)
    say(f"JupyterLab runs already: {server.page(page)}")
    if browser:
        _browse(state, server.page(page))


def _demand_own(state: Path) -> None:
    """Make the server's folder; raises RunbookError where others can put something into it.

    Its token opens every kernel, and what lies in it decides which program runs.
    """
    make_folder(state.parent)
    state.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    found = state.lstat()
    loose = stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or loose:
        message = (
            f"{state} is a link, belongs to somebody else, or can be written by others, so no "
            "JupyterLab was started. Look who put it there, and remove it."
        )
        raise RunbookError(message)


def page_of(copy: WorkingCopy | None) -> str:
    """Return the address of a copy, or of the list, below that of the server.

    Each copy has a workspace of its own: a browser must not restore another responder's tabs.
    """
    if copy is None:
        return "/lab/workspaces/list"
    incident = copy.folder.name
    place = quote(copy.path.relative_to(copy.folder.incidents.path).as_posix())
    return f"/lab/workspaces/{quote(f'{incident}-{copy.path.stem}')}/tree/{place}"


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _become_server(incidents: Path, page: str, *, browser: bool) -> NoReturn:
    state = IncidentsFolder(incidents).jupyterlab
    for left in (state / "runtime").glob("jpserver-*"):
        left.unlink()
    # Without -P a file that lies in the folder where we happen to stand is imported first.
    arguments = [sys.executable, "-P", "-m", "runbook_nb.runs.jupyter", str(incidents), page]
    arguments += [] if browser else ["--no-browser"]
    os.execve(sys.executable, arguments, _environ(incidents))


def _environ(incidents: Path) -> dict[str, str]:
    """Return the server's environment, which its kernels inherit.

    A kernel works in its copy's folder, so what stands in this one is named in full. Which
    incident a kernel belongs to is said by where its working copy is.
    """
    named = {
        "RUNBOOK_INCIDENTS": str(incidents),
        "RUNBOOK_NOTEBOOKS": str(runbooks_folder().absolute()),
        "JUPYTER_RUNTIME_DIR": str(IncidentsFolder(incidents).jupyterlab / "runtime"),
    }
    if settings := os.environ.get("RUNBOOK_SETTINGS"):
        named["RUNBOOK_SETTINGS"] = str(Path(settings).absolute())
    own = ("RUNBOOK_INCIDENT", "RUNBOOK_RUN", "RUNBOOK_NOTEBOOK", "RUNBOOK_OPTION")
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return {**inherited, **handed_on(), **named}


def _running(state: Path) -> Server:
    """Return the server that holds the lock, once it answers; raises RunbookError."""
    ends = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends:
        for path in (state / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                told = json.loads(path.read_text(encoding="utf-8"))
                server = Server(url=str(told["url"]), token=str(told["token"]))
                if _answers(server):
                    return server
        time.sleep(0.1)
    message = (
        f"JupyterLab holds {state / 'lock'} but has not answered within {_PATIENCE_S:.0f} s. "
        "End it with Ctrl-C where it runs, and open again."
    )
    raise RunbookError(message)


def _answers(server: Server) -> bool:
    import httpx

    try:
        # The server is on this machine, whatever proxy the environment names.
        with httpx.Client(trust_env=False, timeout=5) as client:
            reply = client.get(f"{server.url}api", params={"token": server.token})
    except httpx.HTTPError:
        return False
    return reply.status_code == httpx.codes.OK


def _browse(state: Path, url: str) -> None:
    """Open a browser by a private file: an address on its command line would show the token."""
    page = state / "runtime" / "open.html"
    text = f'<!doctype html><meta http-equiv="refresh" content="0;url={escape(url)}">'
    page.touch(mode=0o600)
    page.write_text(text, encoding="utf-8")
    webbrowser.open(page.as_uri())
