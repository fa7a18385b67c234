"""Tokens of vendors: their forms are data, in ``tokens.toml``, read once."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class TokenForm:
    """How the tokens of one kind look; the keys are explained where the data stands."""

    kind: str
    pattern: str
    clues: tuple[str, ...]
    early: bool
    firm: bool
    in_prose: bool


def _form(entry: dict[str, Any]) -> TokenForm:
    return TokenForm(
        kind=entry["kind"],
        pattern="|".join(entry["patterns"]),
        clues=tuple(entry["clues"]),
        early=entry.get("early", False),
        firm=entry.get("firm", True),
        in_prose=entry.get("in_prose", False),
    )


# Without the file nothing may be written, so whatever is wrong with it ends the import.
_DATA: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
TOKENS: Final = tuple(_form(entry) for entry in _DATA["token"])
# Kinds that words without a digit can look like.
IN_PROSE: Final = frozenset(token.kind for token in TOKENS if token.in_prose)
