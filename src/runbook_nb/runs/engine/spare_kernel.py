"""A kernel that is ready before its run: behind each run of a series, or for one that may come."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from runbook_nb.errors import ExecutionError
from runbook_nb.probes.variables import common_variables
from runbook_nb.project import handed_on
from runbook_nb.runs.engine.kernel import Kernel


class SpareKernel:
    """Keeps one kernel waiting while a run works; a context manager that ends the last one.

    ``single`` makes one at once, and none after it. Each kernel serves one run, and knows nothing
    of it while it waits. A run with other variables that all programs get has a kernel of its own:
    they may have been read when it was loaded.
    """

    def __init__(self, *, single: bool = False) -> None:
        self._single = single
        self._waiting: Kernel | None = None
        self._around: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        """Begin a series; the first run of more than one starts its own kernel."""
        if self._single:
            self._start_next()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the kernel that nobody took."""
        self._dismiss()

    def take(self, environ: Mapping[str, str]) -> Kernel:
        """Return a kernel for a run with these variables; in a series, start the one after it.

        Raises ExecutionError if no kernel can be started.
        """
        kernel = self._handed_over(environ) or Kernel(environ)
        if not self._single:
            self._start_next()
        return kernel

    def _handed_over(self, environ: Mapping[str, str]) -> Kernel | None:
        """Hand the waiting kernel over, unless it is gone or was started with other ones."""
        kernel = self._waiting
        if kernel is None or not kernel.alive() or self._around != common_variables(environ):
            self._dismiss()
            return None
        try:
            kernel.hand_over(environ)
        except OSError:
            self._dismiss()
            return None
        self._waiting = None
        return kernel

    def _start_next(self) -> None:
        around = common_variables({**os.environ, **handed_on()})
        try:
            self._waiting, self._around = Kernel(around, waits=True), around
        except ExecutionError:
            # The next run starts its own, and says what is wrong if it cannot.
            self._waiting = None

    def _dismiss(self) -> None:
        kernel, self._waiting = self._waiting, None
        if kernel is not None:
            kernel.close()
