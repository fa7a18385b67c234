"""Secrets by reference: ``env:NAME`` names a variable, ``file:/path`` a file that holds the value.

This is the only place that reads one. No error here ever shows a value.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from runbook_nb.errors import SettingMissingError

if TYPE_CHECKING:
    from pydantic import SecretStr

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


# How variables are named nearly everywhere; hardly any token looks like it.
_CAPITALS: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Where a secret is; ``of`` says whose it is, such as ``'token' of 'fly'``."""

    kind: Literal["env", "file"]
    place: str
    of: str

    def __str__(self) -> str:
        """Return the reference as it stands in the settings, or its kind alone.

        What is written where the name of a variable belongs may be the secret itself.
        """
        shown = self.kind == "file" or _CAPITALS.fullmatch(self.place)
        return f"{self.kind}:{self.place}" if shown else f"{self.kind}:…"

    def read(self) -> "SecretStr":
        """Return the value now; raises SettingMissingError where there is none."""
        # pydantic takes a tenth of a second to import, so only who reads a secret pays for it.
        from pydantic import SecretStr

        return SecretStr(self._variable() if self.kind == "env" else self._content())

    def _variable(self) -> str:
        if value := os.environ.get(self.place):
            return value
        raise self._unreadable("the variable is empty or not set")

    def _content(self) -> str:
        try:
            value = Path(self.place).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise self._unreadable(error.strerror or type(error).__name__) from None
        except UnicodeDecodeError:
            # The decoder's own error carries the bytes of the file.
            raise self._unreadable("the file is not text in UTF-8") from None
        if value:
            return value
        raise self._unreadable("the file is empty")

    def _unreadable(self, why: str) -> SettingMissingError:
        return SettingMissingError(
            f"The setting {self.of} refers to {self}, which cannot be read: {why}."
        )


def parse(text: str, *, of: str) -> Reference:
    """Return the reference that a setting holds; raises SettingMissingError for anything else."""
    kind, _, place = text.partition(":")
    if kind == "env" and _VARIABLE.fullmatch(place):
        return Reference(kind="env", place=place, of=of)
    if kind == "file" and place:
        return Reference(kind="file", place=place, of=of)
    message = (
        f"The setting {of} must be a reference, env:NAME or file:/path, so that no secret "
        "stands in a settings file."
    )
    raise SettingMissingError(message)


def resolve(text: str, *, of: str) -> "SecretStr":
    """Return the value that a setting refers to; raises SettingMissingError."""
    return parse(text, of=of).read()
