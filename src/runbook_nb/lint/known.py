"""The calls a runbook may make: probes and actions by name, loaded when a rule first asks.

Making a probe or an action binds its arguments and runs nothing.
"""

import functools
import importlib
import inspect
import pkgutil
from datetime import timedelta
from typing import Any, Final, get_type_hints

from runbook_nb.calls import ActionFactory, ProbeFactory

Factory = ProbeFactory[Any] | ActionFactory[Any]
_SYSTEMS: Final = "runbook_nb.systems"
# What an argument may be declared as, and the values that fit it.
_FITTING: Final[dict[Any, tuple[type, ...]]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
    timedelta: (timedelta,),
}


class Known:
    """The probes and actions of all systems, by the name that runbooks use."""

    def __init__(self) -> None:
        self._modules: dict[str, Any] = {}

    def systems(self) -> list[str]:
        """Return the names of all systems."""
        place = importlib.import_module(_SYSTEMS).__path__
        return sorted(found.name for found in pkgutil.iter_modules(place))

    def factory(self, system: str, name: str) -> Factory | None:
        """Return a probe or action, not run; None where there is none of that name."""
        found = getattr(self._module(system), name, None)
        return found if isinstance(found, ProbeFactory | ActionFactory) else None

    def names(self, system: str, kind: type) -> list[str]:
        """Return the names of all probes or of all actions of a system."""
        held = vars(self._module(system)) if self.broken(system) == "" else {}
        return sorted(name for name, found in held.items() if isinstance(found, kind))

    def missing(self, system: str) -> bool:
        """Tell whether there is no system of that name."""
        found = self._module(system)
        return isinstance(found, ModuleNotFoundError) and found.name == f"{_SYSTEMS}.{system}"

    def broken(self, system: str) -> str:
        """Say why a system cannot be loaded; empty if it can."""
        found = self._module(system)
        return str(found) if isinstance(found, Exception) else ""

    def _module(self, system: str) -> Any:
        if system not in self._modules:
            try:
                self._modules[system] = importlib.import_module(f"{_SYSTEMS}.{system}")
            except Exception as error:  # noqa: BLE001 - a system half written is a finding
                self._modules[system] = error
        return self._modules[system]


def misfit(factory: Factory, name: str, value: object) -> str:
    """Say which kind of value an argument takes; empty if the value fits or it is not declared."""
    wanted: Any = _declared(factory).get(name)
    fitting = _FITTING.get(wanted)
    # True is a whole number to Python, and not to a reader.
    if fitting is None or (isinstance(value, fitting) and (wanted is bool or value is not True)):
        return ""
    if wanted is timedelta:
        return "a duration, such as minutes(15)"
    return {bool: "True or False", int: "a whole number", float: "a number"}.get(wanted, "text")


@functools.cache
def _declared(factory: Factory) -> dict[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(factory))
    except (NameError, TypeError):
        return {}
