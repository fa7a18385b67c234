"""JupyterLab for responders: one server for all incidents of a folder, without distractions.

A server that runs already is used again; a runtime file that a crash left behind is passed over.
"""

import importlib.util
import json
import os
import re
import sys
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

from runbook_nb.context import RunContext
from runbook_nb.display.wording import anchor
from runbook_nb.errors import RunbookError
from runbook_nb.files import write_atomically
from runbook_nb.saving_by_hand import HOOK

_ANSWER_WITHIN_S: Final = 2
# What a responder does not need at night; the same things stay in JupyterLab elsewhere.
_DISTRACTIONS: Final = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/help-extension:open",
)
_SETTINGS: Final = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosaveInterval": 15},
    "@jupyterlab/notebook-extension/tracker": {"recordTiming": False, "windowingMode": "none"},
}
_SECTIONS: Final = "@jupyterlab/toc:plugin"
# The list of sections is open at the left; the notebook has the rest.
_LAYOUT: Final = {
    "data": {
        "layout-restorer:data": {
            "main": {"dock": None, "current": ""},
            "left": {
                "collapsed": False,
                "current": _SECTIONS,
                "widgets": ["filebrowser", "running-sessions", _SECTIONS],
            },
            "right": {"collapsed": True, "widgets": []},
            "relativeSizes": [0.22, 0.78, 0],
        }
    },
    "metadata": {"id": "default"},
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A JupyterLab that runs: where it is and the word that opens it."""

    url: str
    token: str

    def page(self, path: str, heading: str) -> str:
        """Return the address of a notebook, at a heading where one is named."""
        place = f"#{quote(anchor(heading), safe='')}" if heading else ""
        return f"{self.url}lab/tree/{quote(path)}?token={self.token}{place}"


def show(
    context: RunContext,
    *,
    browser: bool,
    heading: str = "",
    say: Callable[[str], None] = print,
) -> None:
    """Show the working copy: in a server that runs, or by becoming one.

    Returns only where a server was there. Raises RunbookError without JupyterLab.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        message = (
            "JupyterLab is not installed. Install it with pip install 'runbook-nb[notebook]', "
            f"or open {context.notebook} in any editor of notebooks."
        )
        raise RunbookError(message)
    path = str(context.notebook.relative_to(context.incidents))
    ours = _folders(context)
    runtime = Path(os.environ.get("JUPYTER_RUNTIME_DIR", ours["JUPYTER_RUNTIME_DIR"]))
    server = _running(runtime, root=context.incidents)
    if server is None:
        _become(context, path, ours, browser=browser)
    address = server.page(path, heading)
    say(f"JupyterLab runs already: {address}")
    if browser:
        webbrowser.open(address)


def _become(context: RunContext, path: str, ours: Mapping[str, str], *, browser: bool) -> NoReturn:
    _configure(Path(ours["JUPYTERLAB_SETTINGS_DIR"]).parent)
    arguments = [sys.executable, "-m", "jupyterlab"]
    arguments += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={context.incidents}",
        f"--LabApp.default_url=/lab/tree/{quote(path)}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ContentsManager.pre_save_hook={HOOK}",
    ]
    arguments += [] if browser else ["--no-browser"]
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    # A kernel knows its incident by the folder it starts in, so that one server serves them all.
    told = {"RUNBOOK_INCIDENTS": str(context.incidents), "RUNBOOK_ACTOR": context.actor}
    os.execve(sys.executable, arguments, {**ours, **os.environ, **told})


def _running(runtime: Path, *, root: Path) -> Server | None:
    """Return the server of this folder that answers; a file without a server is no server."""
    import httpx

    for path in sorted(runtime.glob("jpserver-*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if Path(told["root_dir"]) != root:
                continue
            server = Server(url=told["url"], token=told["token"])
            answer = httpx.get(
                f"{server.url}api/status",
                headers={"Authorization": f"token {server.token}"},
                timeout=_ANSWER_WITHIN_S,
                trust_env=False,
            )
        except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
            continue
        if answer.is_success:
            return server
    return None


def _folders(context: RunContext) -> dict[str, str]:
    """Return where JupyterLab keeps what it keeps, apart from the responder's own.

    A folder that the responder has named stays in force. Who acts is a server's own, so each
    actor has one.
    """
    folder = context.incidents / ".jupyterlab"
    who = re.sub(r"[^A-Za-z0-9_.-]", "_", context.actor)[:40]
    return {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_PATH": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / f"runtime-{who}"),
    }


def _configure(folder: Path) -> None:
    """Write settings, layout and what is left out."""
    for plugin, settings in _SETTINGS.items():
        package, _, name = plugin.rpartition("/")
        _write(folder / "settings" / package / f"{name}.jupyterlab-settings", settings)
    off = {"disabledExtensions": dict.fromkeys(_DISTRACTIONS, True)}
    _write(folder / "config" / "labconfig" / "page_config.json", off)
    layout = folder / "workspaces" / "default-37a8.jupyterlab-workspace"
    if not layout.exists():
        _write(layout, _LAYOUT)


def _write(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=1) + "\n")
