"""Code of a pack that spills every secret it knows, as a careless colleague's would."""

import base64
import html
import json
import os
import sys
import urllib.parse

from IPython.display import display

from planted import PLANTED


def words() -> list[str]:
    """Return every planted secret, and one that only this process knows."""
    return [*PLANTED.values(), os.environ["TRIAL_API_KEY"]]


def print_all() -> str:
    """Print them on both streams, one of them in two pieces."""
    for word in words():
        print(word)
        print(word, file=sys.stderr)
    own = words()[-1]
    print(own[:9], end="", flush=True)
    print(own[9:])
    return "printed"


def show_all() -> str:
    """Display them in every form that a notebook knows."""
    for word in words():
        forms = {
            "text/plain": word,
            "text/html": f"<p title='{html.escape(word)}'>{html.escape(word)}</p>",
            "text/markdown": f"`{word}`",
            "text/latex": f"${word}$",
            "image/svg+xml": f"<svg><text>{html.escape(word)}</text></svg>",
            "image/png": word,
            "application/javascript": f"let a = {json.dumps(word)}",
            "application/json": {"deep": [{"er": word}, [word]]},
            "application/vnd.plotly.v1+json": {"data": [{"text": [word]}]},
        }
        display(forms, raw=True, metadata={"note": word})
    return "shown"


def print_wrapped() -> str:
    """Print them wrapped in JSON, URLs, HTML, base64, and parted by a line break."""
    for word in words():
        print(json.dumps({"log": json.dumps({"said": word})}))
        print(urllib.parse.quote(word), html.escape(html.escape(word)), repr(word))
    own = words()[-1]
    print(base64.b64encode(f"someone:{own}".encode()).decode())
    print(own[:5] + "\\n    " + own[5:])
    return "printed"


def say_all() -> str:
    """Return them as the words of a note."""
    return "\n".join(words())


def fail_with_all() -> str:
    """Fail, and say them."""
    raise RuntimeError("; ".join(words()))
