"""Packs: what platforms bring to the engine, found where they are installed or by their names.

A pack is installed with an entry point of the group ``runbook_nb.packs``, or named in the settings
of a project as ``my_team.runbooks:PACK``. No other module of the engine imports by name.
"""

import functools
import importlib.util
import os
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from runbook_nb.errors import LabError, SettingMissingError, near
from runbook_nb.probes.baseline import Part
from runbook_nb.probes.calls import Action
from runbook_nb.probes.lab_settings import LAB_PACK
from runbook_nb.project import Project
from runbook_nb.runbook.lab import Fault, Lab

GROUP: Final = "runbook_nb.packs"
_ENGINE: Final = ("runbook_nb", GROUP)


def _no_alerts() -> Mapping[str, str]:
    return {}


def _no_parts() -> Sequence[Part]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A platform for the engine; making one is cheap, and what is behind it is loaded when asked.

    ``systems`` are packages whose public modules hold probes and actions, ``alerts`` gives the
    known alerts by name with the sentence each says, ``announce`` makes the action that posts a
    closing message, of ``incident`` and ``text``, ``baseline`` gives the parts that a team's
    baseline of the platform may have. ``first_drill`` names the drill that a newcomer begins with,
    ``runbook.fault``. ``problem`` says why a pack cannot be used.
    """

    name: str
    about: str
    systems: Sequence[str] = ()
    lab: Callable[[], Lab] | None = None
    alerts: Callable[[], Mapping[str, str]] = _no_alerts
    announce: Callable[[str, str], Action] | None = None
    baseline: Callable[[], Sequence[Part]] = _no_parts
    first_drill: str = ""
    problem: str = ""

    def is_named_in(self, source: str) -> bool:
        """Tell whether a runbook's text names one of the pack's packages."""
        return any(re.search(rf"\b{re.escape(each)}\b", source) for each in self.systems)


def packs_in_use() -> tuple[Pack, ...]:
    """Return the packs that the project here names; all that are installed outside a project."""
    project = Project.find()
    if project is None:
        return load_packs(())
    project.put_on_path()
    return load_packs(project.packs)


def load_packs(named: Sequence[str]) -> tuple[Pack, ...]:
    """Return the packs that are named, in their order; all that are installed where none is.

    A name is that of an installed pack, or the place of one: ``my_team.runbooks:PACK``. One that
    cannot be loaded stops nobody: it is there with its ``problem``.
    """
    return _loaded(tuple(named))


@functools.cache
def _loaded(named: tuple[str, ...]) -> tuple[Pack, ...]:
    installed = _installed()
    places = {name: installed.get(name, name) for name in named} or installed
    found: dict[str, Pack] = {}
    for name, place in places.items():
        pack = _pack(name, place, installed)
        found[name if pack.name in found else pack.name] = pack
    return tuple(found.values())


def system_names(package: str) -> list[str]:
    """Return the public modules of a package; raises what its import raises."""
    place = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(place))
    return [name for name in names if not name.startswith("_")]


def load_system(package: str, name: str) -> ModuleType:
    """Return a module of a package; raises what its import raises."""
    return importlib.import_module(f"{package}.{name}")


def load_name(module: str, name: str) -> object:
    """Return what ``from module import name`` gives; raises what the import raises."""
    if project := Project.find():
        project.put_on_path()
    holder = importlib.import_module(module)
    try:
        return getattr(holder, name)
    except AttributeError:
        return importlib.import_module(f"{module}.{name}")


def problems_of(packs: Sequence[Pack]) -> list[str]:
    """Say of each pack that cannot be used why, and what next, a sentence each."""
    return [
        f"The pack {pack.name} is passed over: {pack.problem} Install it, or take it out of "
        "`packs` in the settings."
        for pack in packs
        if pack.problem
    ]


def places_of(module: str) -> tuple[str, tuple[Path, ...]]:
    """Return the whole package that a module belongs to, and its folders, or its only file.

    Of the engine, which is no pack, only the pack or the module itself counts. Raises
    ModuleNotFoundError for a module that is not installed.
    """
    if project := Project.find():
        project.put_on_path()
    names = module.split(".")
    for end in range(1, len(names) + 1):
        name = ".".join(names[:end])
        spec = importlib.util.find_spec(name)
        if spec is None:
            message = f"No module named {name!r}"
            raise ModuleNotFoundError(message, name=name)
        # A folder without code of its own may hold packages of many owners.
        if spec.origin is not None and name not in _ENGINE:
            folders = spec.submodule_search_locations or [spec.origin]
            return name, tuple(Path(each) for each in folders)
    return module, ()


def announcement(*, incident: str, text: str) -> Action:
    """Return the action that posts a closing message; raises SettingMissingError without one."""
    packs = packs_in_use()
    for pack in packs:
        if pack.announce:
            return pack.announce(incident, text)
    said = " ".join(problems_of(packs)) or "Give a pack `announce`."
    message = f"No pack here posts closing messages. {said}"
    raise SettingMissingError(message)


def has_lab() -> bool:
    """Tell whether a pack in use brings a lab."""
    return any(pack.lab for pack in packs_in_use())


def find_lab(*, fault: str = "", source: str = "") -> Lab:
    """Return the lab that is meant, and let the environment ``lab`` be that one from now on.

    Of several it is that with the fault, that of the pack whose systems a runbook's text names,
    the one chosen before, or that of the first pack in use. Raises LabError.
    """
    packs = packs_in_use()
    having = [pack for pack in packs if pack.lab]
    if not having:
        said = " ".join(problems_of(packs)) or "Give a pack a lab, or name one that has it."
        names = ", ".join(pack.name for pack in packs) or "there is none"
        message = f"No pack here has a lab ({names}). {said}"
        raise LabError(message)
    pack = _meant(having, fault=fault, source=source)
    # Kernels and servers that this process starts must mean the same lab.
    if len(having) > 1:
        os.environ[LAB_PACK] = pack.name
    return _lab_of(pack)


def find_fault(lab: Lab, name: str) -> Fault:
    """Return the fault of that name; raises LabError with near names."""
    known = lab.faults()
    if name not in known:
        message = f"No fault {name!r}. {near(name, known)}"
        raise LabError(message)
    return known[name]


def _meant(having: Sequence[Pack], *, fault: str, source: str) -> Pack:
    if len(having) == 1:
        return having[0]
    chosen = os.environ.get(LAB_PACK)
    candidates = [
        *(pack for pack in having if fault and fault in _fault_names(pack)),
        *(pack for pack in having if pack.is_named_in(source)),
        *(pack for pack in having if pack.name == chosen),
    ]
    return candidates[0] if candidates else having[0]


def _fault_names(pack: Pack) -> set[str]:
    try:
        return set(_lab_of(pack).faults())
    except LabError:
        return set()


def _lab_of(pack: Pack) -> Lab:
    assert pack.lab is not None  # noqa: S101 - only packs with a lab are asked
    try:
        return pack.lab()
    except ImportError as error:
        message = f"The lab of the pack {pack.name} cannot be loaded: {error}."
        raise LabError(message) from error


def _installed() -> dict[str, str]:
    """Return where the installed packs are, by name."""
    # Looking through all distributions takes time, and most commands need no pack.
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    return {each.name: each.value for each in found}


def _pack(name: str, place: str, installed: Mapping[str, str]) -> Pack:
    module, colon, attribute = place.partition(":")
    if not colon:
        said = f"no pack of that name is installed. {near(name, installed)}"
        return _broken(name, f"{said} A pack of your own is named by its place: module:PACK.")
    try:
        found = getattr(importlib.import_module(module), attribute)
    # A pack runs foreign code, and whatever it does at its import is no reason to stop others.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - see above
        said = str(error).rstrip(".")
        return _broken(name, f"{place} cannot be loaded: {type(error).__name__}: {said}.")
    if not isinstance(found, Pack):
        return _broken(name, f"{place} is a {type(found).__name__}, and not a Pack.")
    return found


def _broken(name: str, problem: str) -> Pack:
    return Pack(name=name, about="", problem=problem)
