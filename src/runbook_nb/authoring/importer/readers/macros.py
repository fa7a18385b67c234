"""What wikis and site generators put into Markdown: their macros for code become fences."""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

_OPENED: Final = (
    # Confluence's and Jira's wiki markup, Hugo's shortcode, GitBook's and Jekyll's tag.
    (
        re.compile(r"^\s*\{(?:code|noformat)(?::([\w|=.]*))?\}\s*$"),
        re.compile(r"^\s*\{(?:code|noformat)\}\s*$"),
    ),
    (
        re.compile(r"^\s*\{\{[<%]\s*highlight\s+(\w+)[^}]*[>%]\}\}\s*$"),
        re.compile(r"^\s*\{\{[<%]\s*/\s*highlight\s*[>%]\}\}\s*$"),
    ),
    (
        re.compile(r"^\s*\{%-?\s*highlight\s+(\w+)[^%]*%\}\s*$"),
        re.compile(r"^\s*\{%-?\s*endhighlight\s*-?%\}\s*$"),
    ),
)
_ONE_LINE: Final = re.compile(r"^\s*\{(code|noformat)(?::([\w|=.]*))?\}(.+?)\{\1\}\s*$")
_CONFLUENCE: Final = re.compile(
    r"<ac:structured-macro[^>]*ac:name=\"(?:code|noformat)\"[^>]*>(?P<parameters>.*?)"
    r"<ac:plain-text-body>\s*<!\[CDATA\[(?P<code>.*?)\]\]>\s*</ac:plain-text-body>\s*</ac:structured-macro>",
    re.DOTALL,
)
_PARAMETER: Final = re.compile(r"ac:name=\"language\">\s*([\w-]+)")
_PRE: Final = re.compile(
    r"<pre\b(?P<given>[^>]*)>\s*(?:<code\b(?P<inner>[^>]*)>)?(?P<code>.*?)(?:</code>)?\s*</pre>",
    re.DOTALL | re.IGNORECASE,
)
_CLASS: Final = re.compile(r"(?:language|lang|highlight|brush)[-:]\s*(\w+)")
# A tag that stands alone would swallow the fence below it, up to the next blank line.
_TAG_ALONE: Final = re.compile(r"^(\s*)<(/?[A-Za-z][\w.:-]*(?:\s[^<>]*)?/?>(?:.*</?\w+>)?\s*)$")
_HEADED: Final = re.compile(r"^h([1-6])\.\s+(\S.*)$")
_FENCED: Final = re.compile(r"^ *(`{3,}|~{3,}).*?^ *\1", re.MULTILINE | re.DOTALL)
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")


def without_macros(lines: list[str]) -> list[str]:
    """Return Markdown whose code stands between fences, whatever macro it stood in."""
    text = "\n".join(lines)
    if "<ac:structured-macro" in text or "<pre" in text.lower():
        text = "".join(
            part if fenced else _PRE.sub(_of_pre, _CONFLUENCE.sub(_of_confluence, part))
            for fenced, part in _by_fences(text)
        )
    return _fenced(text.split("\n"))


def _by_fences(text: str) -> Iterator[tuple[bool, str]]:
    """Cut a text at its fences; what stands between them is left as it is."""
    at = 0
    for found in _FENCED.finditer(text):
        yield False, text[at : found.start()]
        yield True, found[0]
        at = found.end()
    yield False, text[at:]


def _of_confluence(found: re.Match[str]) -> str:
    named = _PARAMETER.search(found["parameters"])
    return _block(named[1] if named else "", found["code"])


def _of_pre(found: re.Match[str]) -> str:
    code = re.sub(r"<[^>\n]{1,200}>", "", found["code"]) if "</" in found["code"] else found["code"]
    named = _CLASS.search(f"{found['given']} {found['inner'] or ''}")
    return _block(named[1] if named else "", html.unescape(code))


def _block(language: str, code: str) -> str:
    mark = "````" if "```" in code else "```"
    return f"\n\n{mark}{language}\n{code.strip(chr(10))}\n{mark}\n\n"


def _fenced(lines: list[str]) -> list[str]:
    found: list[str] = []
    closing: re.Pattern[str] | None = None
    in_fence = False
    for at, line in enumerate(lines):
        if closing:
            ended = closing.match(line)
            found.append("```" if ended else line)
            closing = None if ended else closing
        elif _FENCE.match(line):
            in_fence = not in_fence
            found.append(line)
        elif in_fence:
            found.append(line)
        elif opened := next(((o, c) for o, c in _OPENED if o.match(line)), None):
            closing = opened[1] if any(map(opened[1].match, lines[at + 1 :])) else None
            found.append(f"```{_language(opened[0], line)}" if closing else line)
        elif one := _ONE_LINE.match(line):
            found += [f"```{_named(one[2])}", one[3], "```"]
        elif headed := _HEADED.match(line):
            found.append(f"{'#' * int(headed[1])} {headed[2]}")
        else:
            found.append(_harmless_tag(line, takewhile(str.strip, lines[at + 1 :])))
    return found


def _language(pattern: re.Pattern[str], line: str) -> str:
    found = pattern.match(line)
    return _named(found[1] if found else "")


def _named(given: str | None) -> str:
    """Return the language among the parameters of a macro: ``bash``, ``title=x|language=bash``."""
    parts = (given or "").split("|")
    named = next((part.partition("=")[2] for part in parts if part.startswith("language=")), "")
    return named or next((part for part in parts if "=" not in part), "")


def _harmless_tag(line: str, below: Iterable[str]) -> str:
    """Return a tag as text where a fence stands below it, before the next blank line."""
    tag = _TAG_ALONE.match(line)
    return f"{tag[1]}\\<{tag[2]}" if tag and any(map(_FENCE.match, below)) else line
