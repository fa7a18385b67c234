"""Signals that end a run: noted when they come, acted upon by whoever looks."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Notes the first signal that asks to end; a second one acts as it did before.

    Only the main thread may take signals; in any other nothing is noted.
    """

    def __init__(self) -> None:
        self.caught: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Begin to note signals."""
        if threading.current_thread() is threading.main_thread():
            for signum in _SIGNALS:
                # nohup asks that the end of a terminal is ignored.
                if signum is signal.SIGHUP and signal.getsignal(signum) is signal.SIG_IGN:
                    continue
                self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back to whoever took them before."""
        for signum, before in self._before.items():
            signal.signal(signum, signal.SIG_DFL if before is None else before)
        self._before.clear()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        del frame
        self.caught = signal.Signals(signum)
        self.__exit__(None, None, None)
