"""A known secret in all its spellings: as text, HTML, Python, JSON, a URL, base64, over lines."""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus, unquote

# A value is looked for with its letters torn apart only when it is long enough to be no word.
TORN_MINIMUM: Final = 12
_BASE64_BLOCK: Final = re.compile(r"[A-Za-z0-9+/_-]{12,8192}={0,2}")
# How a control or direction mark looks once it was made visible.
_SHOWN_MARK: Final = re.compile(r"⟨U\+[0-9A-F]{4}⟩")
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")


def spellings(secret: str) -> set[str]:
    """Return a secret as it stands in text, HTML, Python, JSON, a URL and base64."""
    whole = {
        secret,
        html.escape(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret, safe=""),
    }
    return whole | {base64.b64encode(secret.encode()).decode().rstrip("=")}


def torn(secret: str) -> re.Pattern[str]:
    """Return what finds a secret whose letters line breaks have parted."""
    line_break = r"(?:\\?(?:⟨U\+000D⟩)?[\r\n]+[ \t>|]{0,8})?"
    return re.compile(line_break.join(map(re.escape, secret)))


def encoded(text: str, secrets: Iterable[str]) -> list[str]:
    """Return the base64 blocks of a text that hold one of the secrets, as a basic header does."""
    known = [secret.encode() for secret in secrets]
    return [
        block
        for block in _BASE64_BLOCK.findall(text)
        if any(secret in plain for plain in _decoded(block) for secret in known)
    ]


def views(text: str) -> set[str]:
    """Return a text as whoever decodes it would read it: entities, escapes and URLs resolved."""
    plain = text
    if "\\" in text:
        plain = _UNICODE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
    if "%" in plain:
        plain = unquote(plain)
    found = {plain}
    if "&" in plain:
        found |= {html.unescape(plain), html.unescape(text)}
    return found


def without_blanks(text: str) -> str:
    """Return a text with its blanks, line breaks and shown marks taken out."""
    return "".join(_SHOWN_MARK.sub("", text).replace("\\n", " ").replace("\\r", " ").split())


def _decoded(block: str) -> list[bytes]:
    """Return what a block may hold: it can begin in the middle of a longer one."""
    plain = block.rstrip("=").translate(str.maketrans("-_", "+/"))
    found = []
    for start in range(4):
        part = plain[start:]
        try:
            found.append(base64.b64decode(part[: len(part) // 4 * 4] + _rest(part)))
        except (binascii.Error, ValueError):
            continue
    return found


def _rest(part: str) -> str:
    rest = part[len(part) // 4 * 4 :]
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""
