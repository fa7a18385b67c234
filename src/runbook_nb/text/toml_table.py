"""A table of a TOML file that people write: typed keys, and errors with file, key and what next."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from runbook_nb.errors import ParameterError, near


@dataclass(frozen=True, kw_only=True)
class TomlTable:
    """One table of a file, and where it stands in it, such as ``severity 2``.

    Every reader raises ParameterError for a value of another kind.
    """

    file: Path
    place: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> "TomlTable":
        """Read a whole file; raises ParameterError unless it is TOML, FileNotFoundError."""
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            message = f"{file} cannot be read as TOML: {error}."
            raise ParameterError(message) from error
        return cls(file=file, place="", values=values)

    def only(self, known: Iterable[str]) -> None:
        """Refuse a key that nobody reads: a slip of the pen would otherwise decide nothing."""
        names = tuple(known)
        for key in self.values:
            if key not in names:
                self.refuse(key, f"nobody reads it. {near(key, names)}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return words; without a default they must be there."""
        value = self.values.get(key, default)
        if value is None:
            self.refuse(key, "it is missing; write it in quotes")
        if not isinstance(value, str) or (not value.strip() and value != default):
            self.refuse(key, f"it is {value!r}; write words in quotes")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of words, empty if there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.refuse(key, f'it is {value!r}; write a list such as ["a", "b"]')
        return tuple(value)

    def number(self, key: str, *, most: float) -> float | None:
        """Return a number above 0 and at most ``most``; None if there is none."""
        value = self.values.get(key)
        if value is None:
            return None
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not math.isfinite(value) or not 0 < value <= most:
            self.refuse(key, f"it is {value!r}; write a number above 0, at most {most:,g}")
        return float(value)

    def count(self, key: str, *, most: int) -> int | None:
        """Return a whole number above 0 and at most ``most``; None if there is none."""
        value = self.number(key, most=most)
        if value is not None and not value.is_integer():
            self.refuse(key, f"it is {value:g}; write a whole number")
        return None if value is None else int(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false if there is neither."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"it is {value!r}; write true or false")
        return value

    def day(self, key: str) -> date | None:
        """Return a date, of TOML or in quotes; a time of day behind it is left out."""
        value = self.values.get(key)
        try:
            return None if value is None else date.fromisoformat(str(value)[:10])
        except ValueError:
            self.refuse(key, f"it is {value!r}; write a date such as 2026-11-23")

    def tables(self, key: str, *, most: int) -> list["TomlTable"]:
        """Return the tables of a list, at most so many; none if it is not there."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.refuse(key, f"it is no list of tables; write [[{self._of(key)}]] above each")
        if len(value) > most:
            self.refuse(key, f"there are {len(value)}; {most} are allowed")
        return [
            TomlTable(file=self.file, place=f"{self._at}{key} {number}", values=one)
            for number, one in enumerate(value, start=1)
        ]

    def table(self, key: str) -> "TomlTable":
        """Return a table, empty if it is not there."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, f"it is no table; write [{self._of(key)}] above its keys")
        return TomlTable(file=self.file, place=f"{self._at}{key}", values=value)

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise ParameterError for a key: the file, the key, and what to do."""
        message = f"{self.file}: {self._at}`{key}`: {why.rstrip('.?')}{_end(why)}"
        raise ParameterError(message)

    @property
    def _at(self) -> str:
        return f"{self.place}, " if self.place else ""

    def _of(self, key: str) -> str:
        outer = [part.split(" ")[0] for part in self.place.split(", ") if part]
        return ".".join([*outer, key])


def _end(why: str) -> str:
    return "?" if why.endswith("?") else "."
