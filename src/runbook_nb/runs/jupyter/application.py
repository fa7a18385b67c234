"""JupyterLab with a responder's layout, on the folder of all incidents."""

import base64
import hashlib
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any, ClassVar, Final

from jupyterlab.labapp import LabApp

from runbook_nb.runs.jupyter.handlers import handlers
from runbook_nb.timeline.folder import IncidentsFolder

_HERE: Final = Path(__file__).parent
_LOOPBACK: Final = "127.0.0.1"


class ResponderLab(LabApp):  # type: ignore[misc]
    """JupyterLab without news, updates, terminals and other servers' extensions."""

    load_other_extensions = False
    serverapp_config: ClassVar[dict[str, Any]] = {}

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the package whose extension this is."""
        return __package__

    def initialize_handlers(self) -> None:
        """Add the addresses that the panels ask, and leave JupyterLab as it is installed."""
        headers = self.serverapp.web_app.settings.setdefault("headers", {})
        headers["Content-Security-Policy"] = content_policy(Path(self.static_dir) / "index.html")
        told = self.serverapp.web_app.settings.setdefault("page_config_data", {})
        told.update(buildAvailable=False, buildCheck=False)
        super().initialize_handlers()
        self.handlers.extend(handlers())


def content_policy(page: Path) -> str:
    """Return what a tab may run and load: this server's own files, and nothing of another host.

    Of scripts that stand in a page, only those of JupyterLab's own page run. It compiles the
    schemas of its settings, which is called evaluation.
    """
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    own = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' {own}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


def serve() -> None:
    """Serve the incidents' folder; its state is kept inside it, apart from the responder's own."""
    os.umask(0o077)
    incidents, *page = sys.argv[1:]
    ResponderLab.launch_instance(argv=arguments(Path(incidents), *page))


def arguments(incidents: Path, page: str = "/lab", *options: str) -> list[str]:
    """Return what JupyterLab is told, beyond its defaults."""
    state = IncidentsFolder(incidents).jupyterlab
    settings: dict[str, object] = {
        "ServerApp.ip": _LOOPBACK,
        "ServerApp.port": _free_port(),
        "ServerApp.root_dir": incidents,
        "ServerApp.contents_manager_class": "runbook_nb.runs.jupyter.contents.WorkingCopies",
        "ServerApp.kernel_spec_manager_class": "runbook_nb.runs.jupyter.kernels.OwnKernel",
        "AsyncMappingKernelManager.kernel_manager_class": (
            "runbook_nb.runs.jupyter.kernels.PrivateKernel"
        ),
        "ServerApp.terminals_enabled": False,
        "ServerApp.log_level": "WARN",
        # No notebook is ever signed.
        "NotebookNotary.db_file": ":memory:",
        "NotebookNotary.secret_file": state / "signing_key",
        "LabApp.default_url": page,
        "LabApp.app_settings_dir": _HERE / "settings",
        "LabApp.user_settings_dir": state / "settings",
        "LabApp.workspaces_dir": state / "workspaces",
        "LabApp.extra_labextensions_path": _HERE / "labextension",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "LabApp.log_level": "WARN",
    }
    told = [f"--{name}={value}" for name, value in settings.items()]
    return [*told, *options, *(["--allow-root"] if os.geteuid() == 0 else [])]


def _free_port() -> int:
    """Return a port that is free now.

    JupyterLab looks for one from 8888 up and binds it later: of two that start at once, one ends.
    """
    with socket.socket() as asking:
        asking.bind((_LOOPBACK, 0))
        return int(asking.getsockname()[1])
