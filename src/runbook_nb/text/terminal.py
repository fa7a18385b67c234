"""Text for a terminal: in characters that its encoding has."""

from typing import IO, Final

_ASCII_SIGNS: Final = {"✓": "+", "✗": "x", "•": "-", "…": "...", "—": "-", "○": "o"}


def writable(text: str, stream: IO[str]) -> str:
    """Return the text in characters that the stream can hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _ASCII_SIGNS.items():
            text = text.replace(sign, plain)
        return text.encode(encoding, "replace").decode(encoding)
    return text
