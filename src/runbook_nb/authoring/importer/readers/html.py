"""HTML as Markdown, as browsers show it and as Confluence keeps it."""

import re
from html.parser import HTMLParser
from typing import Final

_BEFORE: Final = {**{f"h{level}": f"{'#' * level} " for level in range(1, 7)}, "li": "- "}
_PARAGRAPHS: Final = """
p div section article ul ol table tbody thead tr header footer main blockquote dl dt dd br hr
"""
_BLOCKS: Final = frozenset({*_BEFORE, *_PARAGRAPHS.split()})
_CODE: Final = frozenset({"pre", "ac:plain-text-body"})
_APART: Final = frozenset({"script", "style", "title", "template", "noscript", "ac:parameter"})
_LANGUAGE: Final = re.compile(r"(?:language|lang|highlight|brush)[-:]\s*(\w+)")
_WHOLE: Final = re.compile(
    r"^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|body)\b", re.IGNORECASE
)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


def is_html(text: str) -> bool:
    """Tell whether a text is a whole page of HTML, whatever its name says."""
    return bool(_WHOLE.match(text))


def from_html(text: str) -> list[str]:
    """Return the lines that a reader sees, with the code between fences."""
    page = _Page()
    page.feed(_CDATA.sub(lambda found: _escaped(found[1]), text))
    page.close()
    return page.lines()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Page(HTMLParser):
    """Lines under way: the words of the block that is open, and what it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._title = ""
        self._words = ""
        self._before = ""
        self._code: list[str] | None = None
        self._language = ""
        # The tags whose words are not shown where they stand, innermost last.
        self._apart: list[str] = []

    def lines(self) -> list[str]:
        """Return all lines; the title of the page is one where no heading of the first level is."""
        self._end_block()
        headed = any(line.startswith("# ") for line in self._lines)
        return self._lines if headed or not self._title else [f"# {self._title}", "", *self._lines]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _APART:
            self._apart.append(given.get("ac:name", tag))
        elif tag in _CODE:
            self._end_block()
            self._code, self._language = [], _language(given) or self._language
        elif tag == "code":
            self._language = self._language or _language(given)
            self._words += "`" if self._code is None else ""
        elif tag in ("td", "th"):
            self._words += " | " if self._words.strip() else "| "
        elif tag in _BLOCKS:
            self._end_block(closed=tag != "br")
            self._before = _BEFORE.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _APART and self._apart:
            self._apart.pop()
        elif tag in _CODE:
            self._end_code()
        elif tag == "code" and self._code is None:
            self._words += "`"
        elif tag in _BLOCKS:
            self._end_block()

    def handle_data(self, data: str) -> None:
        if self._apart:
            if self._apart[-1] == "title":
                self._title = self._title or data.strip()
            elif self._apart[-1] == "language":
                self._language = data.strip()
        elif self._code is not None:
            self._code.append(data)
        else:
            self._words += re.sub(r"\s+", " ", data)

    def _end_code(self) -> None:
        text = "".join(self._code or ()).strip("\n")
        mark = "````" if "```" in text else "```"
        if text.strip():
            self._lines += [f"{mark}{self._language}", *text.split("\n"), mark, ""]
        self._code, self._language = None, ""

    def _end_block(self, *, closed: bool = True) -> None:
        words = self._words.strip()
        if words and self._code is None:
            self._lines += [f"{self._before}{words}", *([""] if closed else [])]
            self._before = ""
        self._words = ""


def _language(given: dict[str, str]) -> str:
    found = _LANGUAGE.search(f"{given.get('class', '')} lang-{given.get('lang', '')}".strip())
    named = found[1] if found else given.get("data-lang", "")
    return "" if named in ("none", "plain") else named
