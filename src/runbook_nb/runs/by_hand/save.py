"""What JupyterLab saves of a working copy: masked before it is on disk, as in every run."""

import os
from collections.abc import Mapping
from typing import Any

from runbook_nb.errors import RunbookError
from runbook_nb.probes.environment import Environment, load_settings
from runbook_nb.redaction import Redactor, names_secret
from runbook_nb.redaction.outputs import masked_notebook
from runbook_nb.runbook.runbook import Runbook


def mask_before_save(path: str, model: dict[str, Any], **_: Any) -> None:
    """Mask a notebook that is about to be saved; the server calls this before every save.

    If that fails, the save is refused with the reason: a server goes on after any other error.
    """
    if model.get("type") != "notebook" or not model.get("content"):
        return
    try:
        model["content"] = masked_notebook(model["content"], _redactor(model["content"]))
    except Exception as error:
        from tornado.web import HTTPError

        message = f"{path} was not saved: its secrets could not be masked ({error!r})."
        raise HTTPError(500, message, reason=message) from error


def _redactor(notebook: Mapping[str, Any]) -> Redactor:
    """Mask the secrets of every environment, since one server may serve several.

    Whom to call stays readable, as in every run: the runbook says who that is, not the copy.
    """
    secrets = [value for name, value in os.environ.items() if names_secret(name)]
    try:
        settings = load_settings()
    except RunbookError:
        settings = {}
    for name, values in settings.items():
        secrets += Environment(name, values).secrets
    return Redactor(secrets, allowed=_contacts(notebook))


def _contacts(notebook: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return Runbook.find(str(notebook["metadata"]["runbook"]["name"])).contacts
    except (RunbookError, KeyError, TypeError):
        return ()
