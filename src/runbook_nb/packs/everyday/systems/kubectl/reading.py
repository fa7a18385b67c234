"""The words of kubectl and oc that are known to read, and to answer in JSON."""

from collections.abc import Sequence
from typing import Final

VERBS: Final = ("get", "events", "version", "api-resources")
# Options that choose what is read. All others are refused: those that write a file, follow a
# change without end, read a manifest, or lead to another cluster or another account.
_WITH_VALUE: Final = (
    "--namespace",
    "--selector",
    "--field-selector",
    "--chunk-size",
    "--api-group",
    "--subresource",
    "--types",
    "--for",
    "-n",
    "-l",
)
_ALONE: Final = (
    "--all-namespaces",
    "-A",
    "--namespaced",
    "--namespaced=true",
    "--namespaced=false",
)
_SECRET: Final = ("secret", "secrets")


def writes(words: Sequence[str]) -> str:
    """Say why the words, after the program's name, may write or show a secret; empty if not."""
    verb, *rest = words or ("",)
    if verb not in VERBS:
        return f"{verb!r} is none of its reading verbs, which are {', '.join(VERBS)}"
    value_follows = False
    for word in rest:
        if not value_follows and word.startswith("-") and not _is_reading_option(word):
            return f"the option {word!r} is not among those that only choose what is read"
        if not value_follows and not word.startswith("-") and _names_secrets(word):
            return "the content of secrets belongs in no record"
        value_follows = word in _WITH_VALUE and not value_follows
    return "the last option has no value" if value_follows else ""


def _is_reading_option(word: str) -> bool:
    name = word.partition("=")[0]
    glued = word[:2] in {"-n", "-l"} and not word.startswith("--")
    return word in _ALONE or name in _WITH_VALUE or glued


def _names_secrets(word: str) -> bool:
    """Tell whether a word such as ``pods,secrets.v1/x`` names secrets among its kinds."""
    kinds = (each.partition("/")[0].partition(".")[0].lower() for each in word.split(","))
    return any(kind in _SECRET for kind in kinds)
