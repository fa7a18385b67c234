"""A known secret is gone in any spelling at any place, and masking twice is masking once."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_nb.redaction import Redactor, has_ordinary

# Hypothesis also tries the words that stand in the code; an ordinary one of them is no secret.
SECRETS = (
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=12)
    .filter(lambda text: sum(letter not in "\"'`\\+,|" for letter in text) >= 8)
    .filter(lambda text: not has_ordinary(text))
)
AROUND = st.text(" abcXYZ019_-.,:;=\n\"'<>&%\\/+@[]", max_size=30)
SPELLINGS = {
    "plain": str,
    "html": html.escape,
    "numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "json": lambda text: json.dumps(text)[1:-1],
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "python": lambda text: repr(text)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "percent": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "base64": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "urlsafe": lambda text: base64.urlsafe_b64encode(f"ab{text}c".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "lines": lambda text: "\n    ".join((text[:5], text[5:9], text[9:])),
    "strings": lambda text: f"{text[:7]}'\n    '{text[7:]}",
    "tags": lambda text: f"{html.escape(text[:6])}<wbr>{html.escape(text[6:])}",
    "marks": lambda text: f"{text[:6]}\u200b{text[6:]}",
}
ONCE = sorted(SPELLINGS.keys() - {"tags"})
TWICE = ("json", "html", "url", "python")


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(sorted(SPELLINGS)), SECRETS, AROUND, AROUND)
@example("base64", "!!!!!!!!!!!!", "", "")
def test_a_known_secret_is_gone_in_any_spelling(name, secret, before, after):
    """Whatever stands around it."""
    spelled = SPELLINGS[name](secret)
    masked = Redactor([secret]).mask(before + spelled + after)

    assert spelled not in masked
    assert "masked: " in masked


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(TWICE), st.sampled_from(ONCE), SECRETS)
def test_a_known_secret_is_gone_when_its_spelling_is_spelled_again(outer, inner, secret):
    """JSON in JSON, HTML in a URL."""
    spelled = SPELLINGS[outer](SPELLINGS[inner](secret))

    assert spelled not in Redactor([secret]).mask(f"a {spelled} b")


@settings(derandomize=True, max_examples=300)
@given(SECRETS, st.text(max_size=200), st.integers(0, 200))
def test_masking_twice_is_masking_once(secret, text, place):
    """A text may pass on its way through two processes."""
    redactor = Redactor([secret])
    once = redactor.mask(text[:place] + secret + text[place:])

    assert redactor.mask(once) == once
