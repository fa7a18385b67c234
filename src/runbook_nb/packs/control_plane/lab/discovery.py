"""Find what the modules of a package offer, so that a new module needs no list to be changed."""

import importlib
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def found_in(package: str, name: str, kind: type[T]) -> list[T]:
    """Return what each module of a package binds to ``name``, modules in the order of their names.

    A module may bind one value of the kind or a tuple of them; one that binds none is passed over.
    """
    found: list[T] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        offered = getattr(importlib.import_module(f"{package}.{module.name}"), name, ())
        found += [offered] if isinstance(offered, kind) else list(offered)
    return found
