"""JupyterLab for responders: a layout, the list of runbooks, the board, and guarded files.

Needs the extra ``notebook``; nothing else in the package imports it.
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the server which application to run, as its protocol asks."""
    from runbook_nb.runs.jupyter.application import ResponderLab

    return [{"module": __name__, "app": ResponderLab}]
