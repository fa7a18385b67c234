"""What could act on a screen is made visible: escapes, control and direction marks."""

import re
from typing import Final

_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Drop terminal escapes and show control and direction marks as their code points."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match.group(0)):04X}⟩", _ANSI.sub("", text))
