"""What is known of commands, the vendors' too: data, in ``commands.toml``, read once."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_DATA: Final = tomllib.loads(Path(__file__).with_name("commands.toml").read_text(encoding="utf-8"))
_OPTIONS: Final = r"(?:\s+-\S+(?:\s+[^-\s]\S*)??)*\s+"

ALWAYS_CHANGING: Final = frozenset(_DATA["always"].split())
CHANGING: Final[Mapping[str, frozenset[str]]] = {
    program: frozenset(entry["words"].split())
    for entry in _DATA["changing"]
    for program in entry["programs"].split()
}
SHOWING: Final = frozenset(_DATA["shows"].split())
WRAPPERS: Final = frozenset(_DATA["wrappers"].split())
TOOLS: Final = tuple(_DATA["tools"].split())
_FORMS: Final = "|".join(form.replace("{options}", _OPTIONS) for form in _DATA["reading"])
READING: Final = re.compile(rf"^(?:{_FORMS})", re.IGNORECASE)
