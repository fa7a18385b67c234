"""Strings that go over lines in a cell of code: a fence that stands in one ends no cell.

Quotes are told as jupytext tells them, whose import would take longer than all else that reads a
runbook; a test compares them.
"""

from typing import Final

_LANGUAGES: Final = {
    "#": "R bash coconut gnuplot julia powershell python robotframework sage sos tcl xonsh",
    "//": "c++ csharp fsharp go groovy java javascript rust scala stata typescript",
    "/*": "jenner maxima sas",
    "--": "haskell lua",
    "%": "logtalk matlab",
    "(*": "ocaml",
    ";;": "clojure scheme",
    ";": "idl",
    "/": "q",
}
# What begins a comment, by the language as it stands behind a fence.
COMMENTS: Final = {
    **{name: mark for mark, names in _LANGUAGES.items() for name in names.split()},
    "wolfram language": "(*",
}
# The one language whose plain strings go over lines, and that has none of three quotes.
_PLAIN: Final = "R"


class Quotes:
    """Follows the quotes of a cell, line by line."""

    def __init__(self, language: str) -> None:
        self._comment = COMMENTS.get(language)
        self._has_triple = language != _PLAIN
        self._single = self._triple = ""

    @property
    def are_open(self) -> bool:
        """Whether the next line begins inside a string."""
        return bool(self._single or self._triple)

    def read(self, line: str) -> None:
        """Take in the next line."""
        if '"' not in line and "'" not in line:
            return
        began = -1
        for at, char in enumerate(line):
            if self._comment and not self.are_open and line.startswith(self._comment, at):
                break
            if char in "\"'" and line[at - 1 : at] != "\\":
                began = self._take(line, at, began=began)
        if self._has_triple:
            self._single = ""

    def _take(self, line: str, at: int, *, began: int) -> int:
        """Take in one quote; return where three of them were last complete, ``began`` or here."""
        quote = line[at]
        if self._single:
            self._single = "" if self._single == quote else self._single
        elif not self._has_triple:
            pass
        elif line[at - 2 : at + 1] == 3 * quote and at >= began + 3:
            if self._triple in ("", quote):
                self._triple = "" if self._triple else quote
                return at
        elif not self._triple:
            self._single = quote
        return began
