"""What a project's file alone says of an environment: whose yes counts, what a mistake costs.

Whoever starts a run writes its variables, and would say yes to themselves with them, or with a file
that they name.
"""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.errors import SettingMissingError

_OWN: Final = ("approve", "kind")


def demand_no_consent(given: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse settings that say ``approve`` or ``kind`` of an environment of a project otherwise.

    ``given`` are settings from elsewhere, ``told`` the environments of the project's file. Raises
    SettingMissingError.
    """
    environments = given.get("environments", {})
    for name, values in environments.items() if isinstance(environments, Mapping) else ():
        own = told.get(name)
        if not isinstance(values, Mapping) or not isinstance(own, Mapping):
            continue
        for word in _OWN:
            if word in values and values[word] != own.get(word):
                message = (
                    f"`{word}` of the environment {name!r} is said otherwise by a variable, or by "
                    "a file that one names. Say it in the project's file alone: whoever starts a "
                    "run may not decide whose yes counts."
                )
                raise SettingMissingError(message)
