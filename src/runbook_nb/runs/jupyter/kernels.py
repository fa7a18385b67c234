"""The kernel of the running interpreter: reached by private sockets, with few variables.

Nothing listens on a port, where any user of the machine could connect; nothing that is typed is
kept in a history on disk; and a kernel of one environment has no variable of another one.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import default

from runbook_nb.errors import RunbookError
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.variables import common_variables, kernel_variables
from runbook_nb.runs.by_hand.working_copies import environment_of
from runbook_nb.runs.engine.kernel import DISCREET, PROGRAM, private_folder


class OwnKernel(KernelSpecManager):
    """Knows one kernel: the one that has this package."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the only kernel there is."""
        return {NATIVE_KERNEL_NAME: RESOURCES}

    def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002 - whatever a copy asks for
        """Return the kernel of this interpreter, also where a notebook names another."""
        # Without -P a file that lies beside the notebook is imported first.
        argv = [sys.executable, "-P", PROGRAM, "-f", "{connection_file}", *DISCREET]
        return KernelSpec(resource_dir=RESOURCES, **{**get_kernel_dict(), "argv": argv})

    def get_all_specs(self) -> dict[str, Any]:
        """Return the only kernel with its specification."""
        spec = self.get_kernel_spec(NATIVE_KERNEL_NAME).to_dict()
        return {NATIVE_KERNEL_NAME: {"resource_dir": RESOURCES, "spec": spec}}


class PrivateKernel(ServerKernelManager):
    """A kernel behind sockets in a folder of its own, which goes when the kernel has ended."""

    _folder: Path | None = None

    @default("transport")
    def _transport_default(self) -> str:
        return "ipc"

    @default("ip")
    def _ip_default(self) -> str:
        self._folder = self._folder or private_folder()
        return str(self._folder / "k")

    async def _async_pre_start_kernel(self, **told: Any) -> tuple[list[str], dict[str, Any]]:
        """Give the kernel what the environment of its copy needs, each time that it is started."""
        given: Mapping[str, str] = told.get("env") or {}
        told["env"] = _variables(given.get("JPY_SESSION_NAME", ""))
        started: tuple[list[str], dict[str, Any]] = await super()._async_pre_start_kernel(**told)
        return started

    async def _async_cleanup_resources(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - jupyter_client's own
        await super()._async_cleanup_resources(restart=restart)
        if self._folder is not None and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources  # type: ignore[assignment]


def _variables(notebook: str) -> dict[str, str]:
    """Return the variables of a notebook's kernel; without secrets where it is no working copy."""
    told = {**os.environ, **({"JPY_SESSION_NAME": notebook} if notebook else {})}
    name = environment_of(Path(notebook)) if notebook else None
    if name is None:
        return common_variables(told)
    try:
        named = Environment.load(name).named_variables
    except RunbookError:
        # The cell that opens the incident says what is wrong with the settings.
        named = frozenset()
    return kernel_variables(told, environment=name, named=named)
