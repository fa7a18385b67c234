"""Python as HTML: only what a reader tells apart is marked, so that a page stays small."""

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_KINDS: Final = {"Keyword": "k", "String": "s", "Comment": "c", "Number": "m"}


def code_html(source: str, **_: Any) -> str:
    """Return source code with keywords, texts, comments and numbers marked.

    Other words are those that nbconvert passes to a highlighter.
    """
    spans: list[tuple[str, str]] = []
    for kind, text in _lexer().get_tokens(source):
        mark = next((_KINDS[name] for name in reversed(kind) if name in _KINDS), "")
        if spans and spans[-1][0] == mark:
            spans[-1] = (mark, spans[-1][1] + text)
        else:
            spans.append((mark, text))
    marked = (
        f'<span class="{mark}">{escape(text)}</span>' if mark else escape(text)
        for mark, text in spans
    )
    return f"<pre>{''.join(marked).rstrip()}</pre>"


@cache
def _lexer() -> "Lexer":
    from pygments.lexers.python import PythonLexer

    return PythonLexer()
