"""The calls a runbook may make: probes and actions by name, loaded when a rule first asks.

Making a probe or an action binds its arguments and runs nothing.
"""

import functools
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from runbook_nb.probes.calls import ActionFactory, ProbeFactory
from runbook_nb.runbook.packs import Pack, load_system, packs_in_use, system_names

Factory = ProbeFactory[Any] | ActionFactory[Any]
# What an argument may be declared as, and the values that fit it.
_FITTING: Final[dict[Any, tuple[type, ...]]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
    timedelta: (timedelta,),
}
# How an author reads them.
_WORDS: Final[dict[Any, str]] = {
    timedelta: "duration",
    str: "text",
    float: "number",
    int: "number",
    Sequence: "list",
    Mapping: "dict",
}


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A probe or an action that a runbook may call, in words.

    ``package`` holds its system; ``takes`` is each argument with its kind and default; ``says``
    how it answers or changes.
    """

    package: str
    call: str
    takes: tuple[str, ...]
    says: str
    about: str

    @property
    def line(self) -> str:
        """Return the call as an author types it."""
        return f"{self.call}({', '.join(self.takes)})"


class CallRegistry:
    """The probes and actions of all packs in use, by the package and name that runbooks use."""

    def __init__(self, packs: Sequence[Pack] | None = None) -> None:
        self.packs = packs_in_use() if packs is None else packs
        self._modules: dict[tuple[str, str], Any] = {}

    @property
    def packages(self) -> list[str]:
        """The packages that systems are imported from."""
        return [package for pack in self.packs for package in pack.systems]

    def systems(self, package: str) -> list[str]:
        """Return the names of a package's systems; none where it cannot be loaded."""
        try:
            return system_names(package)
        except Exception:  # noqa: BLE001 - ``problems`` says it
            return []

    def factory(self, package: str, system: str, name: str) -> Factory | None:
        """Return a probe or action, not run; None where there is none of that name."""
        found = getattr(self._module(package, system), name, None)
        return found if isinstance(found, ProbeFactory | ActionFactory) else None

    def names(self, package: str, system: str, kind: type | UnionType) -> list[str]:
        """Return the names of all probes or of all actions of a system."""
        if self.broken(package, system):
            return []
        held = vars(self._module(package, system))
        return sorted(name for name, found in held.items() if isinstance(found, kind))

    def offered(self) -> Iterator["Offered"]:
        """Yield every probe and action as an author would call it, system by system."""
        for package in self.packages:
            for system in self.systems(package):
                for name in self.names(package, system, ProbeFactory | ActionFactory):
                    factory = self.factory(package, system, name)
                    if factory is not None:
                        yield _offered(package, f"{system}.{name}", factory)

    def problems(self) -> Iterator[str]:
        """Say of each package and system that cannot be loaded why, a sentence each."""
        for package in self.packages:
            try:
                systems = system_names(package)
            except Exception as error:  # noqa: BLE001 - a pack half written is a finding
                yield f"The systems in {package} cannot be loaded: {error}."
                continue
            for system in systems:
                if broken := self.broken(package, system):
                    yield f"The system {package}.{system} cannot be loaded: {broken}."

    def missing(self, package: str, system: str) -> bool:
        """Tell whether there is no system of that name."""
        found = self._module(package, system)
        return isinstance(found, ModuleNotFoundError) and found.name == f"{package}.{system}"

    def broken(self, package: str, system: str) -> str:
        """Say why a system cannot be loaded; empty if it can."""
        found = self._module(package, system)
        return str(found) if isinstance(found, Exception) else ""

    def _module(self, package: str, system: str) -> Any:
        if (package, system) not in self._modules:
            try:
                self._modules[package, system] = load_system(package, system)
            except Exception as error:  # noqa: BLE001 - a system half written is a finding
                self._modules[package, system] = error
        return self._modules[package, system]


def _offered(package: str, call: str, factory: Factory) -> Offered:
    _, *rest = inspect.signature(inspect.unwrap(factory)).parameters.values()
    if isinstance(factory, ProbeFactory):
        says = f"probe, {factory.unit}" if factory.unit else "probe"
    else:
        says = "action, cannot be undone" if factory.irreversible else "action"
    return Offered(
        package=package,
        call=call,
        takes=tuple(_argument(factory, parameter) for parameter in rest),
        says=says,
        about=inspect.cleandoc(factory.__doc__ or "").partition("\n")[0],
    )


def _argument(factory: Factory, parameter: inspect.Parameter) -> str:
    kind: Any = _declared(factory).get(parameter.name)
    said = f"{parameter.name}: {_kind_in_words(kind)}"
    default = parameter.default
    return said if default is inspect.Parameter.empty else f"{said} = {default!r}"


def _kind_in_words(kind: Any) -> str:
    if isinstance(kind, UnionType):
        # That it may be None is told by its default.
        return " or ".join(_kind_in_words(each) for each in get_args(kind) if each is not NoneType)
    plain: Any = get_origin(kind) or kind
    return _WORDS.get(plain) or str(getattr(plain, "__name__", plain))


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
