"""Who owns runbooks, who is called, and which addresses may stand in them: ``contacts.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """The people and places of the organisation, by name; ``problem`` says why there are none.

    ``owners`` own runbooks and manual steps, ``roles`` only steps. ``addresses`` are called when a
    runbook is not enough. ``channels`` and ``sites`` may be named in the text.
    """

    owners: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    problem: str = ""

    @classmethod
    def read(cls, path: Path) -> "Contacts":
        """Read the file; one that is missing or wrong becomes a problem that a rule reports."""
        try:
            read = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(
                owners=_names(read.get("owner", []), "name", "also"),
                roles=_names(read.get("role", []), "name", "also"),
                addresses=_names(read.get("address", []), "to"),
                channels=_names(read.get("channel", []), "name"),
                sites=_names(read.get("site", []), "host"),
            )
        except FileNotFoundError:
            return cls(problem=f"There is no {path.name} beside the runbooks.")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            return cls(problem=f"{path.name} cannot be read: {error!r}.")


def _names(rows: list[dict[str, Any]], name: str, also: str = "") -> frozenset[str]:
    return frozenset(
        str(said) for row in rows for said in (row[name], *(row.get(also, ()) if also else ()))
    )
