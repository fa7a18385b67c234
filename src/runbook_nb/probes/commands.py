"""Commands of this machine as a system: a bare environment, a limit in time and in output.

A probe's command sees no variable of ours but the few it needs, so no secret of another system
reaches it. At the limit its whole process group is ended.
"""

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.errors import NoAnswerError, WriteRefusedError

# What each command gets of our own variables; all others stay here.
PASSED: Final = ("PATH", "HOME", "KUBECONFIG")
# The words of an answer must not depend on who asks.
LANGUAGE: Final = "C.UTF-8"
CUT_OFF: Final = "The call was cut off, and its connection stays closed."
OUTPUT_LIMIT_BYTES: Final = 16_000_000
_CHUNK: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a command answered: its exit code and what it printed."""

    code: int
    text: str
    errors: str


class Commands:
    """The commands of one system; a read-only one runs only words that are known to read."""

    def __init__(
        self,
        *,
        variables: Mapping[str, str],
        read_only: bool,
        timeout_s: float,
        asked: list[str],
    ) -> None:
        self._variables, self._read_only = dict(variables), read_only
        self._timeout_s, self._asked = timeout_s, asked
        self._process: subprocess.Popen[bytes] | None = None
        self._cut = False

    def run(self, words: Sequence[str], *, writes: Callable[[Sequence[str]], str]) -> Output:
        """Run a command given as words and return what it answered, whatever its exit code.

        ``writes`` says why the words may write, and nothing where they only read; a read-only
        connection raises WriteRefusedError for the first before a process starts. Raises
        TimeoutError at the limit, NoAnswerError for a command that is not there or prints too much.
        """
        if self._read_only and (why := writes(words)):
            message = f"A probe may not run `{shlex.join(words)}`: {why}. Probes only read."
            raise WriteRefusedError(message)
        if self._cut:
            raise NoAnswerError(CUT_OFF)
        said = shlex.join(words)
        self._asked.append(said)
        started = time.perf_counter()
        process = self._started(words)
        try:
            output = self._answer(process, name=words[0])
        finally:
            self._process = None
            _end_group(process)
        took_ms = (time.perf_counter() - started) * 1000
        self._asked[-1] = f"{said} → exit code {output.code} in {took_ms:.0f} ms"
        return output

    def close(self) -> None:
        """End a command that still runs, with all its processes."""
        self._cut = True
        if (process := self._process) is not None:
            _kill_group(process)

    def _started(self, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        try:
            self._process = subprocess.Popen(
                words,
                env=self._variables,
                # No file of the folder we happen to stand in changes what a command does.
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            message = f"`{words[0]}` cannot be started on this machine: {error.strerror}."
            raise NoAnswerError(message) from error
        return self._process

    def _answer(self, process: "subprocess.Popen[bytes]", *, name: str) -> Output:
        """Read both outputs to their end, within the limits of time and size."""
        deadline = time.monotonic() + self._timeout_s
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101 - likewise
        printed = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        with selectors.DefaultSelector() as pipes:
            for pipe in printed:
                pipes.register(pipe, selectors.EVENT_READ)
            while pipes.get_map():
                self._demand_time(deadline, name)
                for key, _ in pipes.select(max(0.0, deadline - time.monotonic())):
                    chunk = os.read(key.fd, _CHUNK)
                    printed[key.fd] += chunk
                    if not chunk:
                        pipes.unregister(key.fd)
                if sum(map(len, printed.values())) > OUTPUT_LIMIT_BYTES:
                    message = f"`{name}` printed more than {OUTPUT_LIMIT_BYTES // 10**6} MB."
                    raise NoAnswerError(message)
        code = self._exit_code(process, deadline, name)
        text, errors = (bytes(each).decode("utf-8", "replace") for each in printed.values())
        return Output(code=code, text=text, errors=errors)

    def _exit_code(self, process: "subprocess.Popen[bytes]", deadline: float, name: str) -> int:
        try:
            return process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._demand_time(0.0, name)
            raise

    def _demand_time(self, deadline: float, name: str) -> None:
        if self._cut or time.monotonic() >= deadline:
            message = (
                f"`{name}` gave no answer within {self._timeout_s:g} s; its processes were ended."
            )
            raise TimeoutError(message)


def bare_variables(also: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables a command gets: ours by a short list, and those a setting names."""
    names = (*PASSED, *also)
    return {"LANG": LANGUAGE, **{name: os.environ[name] for name in names if name in os.environ}}


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    _kill_group(process)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
