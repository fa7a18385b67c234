"""What no variable may say of an environment: whose yes counts there, and what a mistake costs.

Whoever starts a run writes its variables, and would say yes to themselves with them.
"""

from collections.abc import Mapping
from typing import Any

from runbook_nb.errors import SettingMissingError


def demand_no_consent(variables: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse variables that say ``approve``, or another ``kind`` than a project's file does.

    ``variables`` are settings as variables gave them, ``told`` the environments of the file.
    Raises SettingMissingError.
    """
    given = variables.get("environments", {})
    for name, values in given.items() if isinstance(given, Mapping) else ():
        own = told.get(name, {})
        kind = own.get("kind") if isinstance(own, Mapping) else None
        if not isinstance(values, Mapping):
            continue
        if "approve" in values or (kind and values.get("kind", kind) != kind):
            word = "approve" if "approve" in values else "kind"
            message = (
                f"A variable says `{word}` of the environment {name!r}. Say it in the project's "
                "file alone: whoever starts a run may not decide whose yes counts."
            )
            raise SettingMissingError(message)
