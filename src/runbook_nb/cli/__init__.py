"""The command ``runbook``: one short function a command.

Exit codes are those of monitoring plugins: 0 pass, 1 warn, 2 fail, 3 unknown or error, so that a
run can itself be a check.
"""

import os
import sys
from collections.abc import Sequence

# Each module adds its commands to the application when it is imported.
from runbook_nb.cli import (  # noqa: F401
    approval,
    archive,
    author,
    baseline,
    by_hand,
    close,
    incident,
    lab,
    lint,
    listing,
    maintenance,
    postmortem,
    project,
    reference,
    run,
    service,
    settle,
    show,
    walk,
)
from runbook_nb.cli.app import ERROR, app
from runbook_nb.cli.failure import failure_of, tell

__all__ = ["app", "main", "run_command"]


def main() -> None:
    """Run the command; what the caller can put right is one line and exit code 3.

    A wrong word on the command line is an error too: 1 and 2 are verdicts here.
    """
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing that goes wrong is shown as a traceback."""
    try:
        return int(app(args=list(arguments), prog_name="runbook", standalone_mode=False) or 0)
    except BrokenPipeError:
        # The reader went away, as `head` does; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - all of it is told in words
        if (show := getattr(error, "show", None)) and "--json" not in arguments:
            # Errors of usage know how to show themselves; one without words shows the help.
            show()
            return ERROR
        failure = failure_of(error)
        tell(failure, as_json="--json" in arguments)
        return failure.exit_code
