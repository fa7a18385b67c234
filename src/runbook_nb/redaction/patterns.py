"""What secrets look like: by their form, by their names, and as the tokens of vendors.

Where a pattern has a group, only that group is the secret, and what stands around it is kept.
"""

import re
from collections.abc import Iterator
from typing import Final

from runbook_nb.redaction.beginnings import Beginning, Finder
from runbook_nb.redaction.command_lines import CODES, COMMANDS, OPTIONS, WRITTEN
from runbook_nb.redaction.names import NAMES, NAMES_BEGIN, SAID
from runbook_nb.redaction.tokens import TOKENS

# Every repetition is bounded: an unbounded one takes minutes on a long line of dashes.
# A figure behind these is a count, as in "token: 4096"; a page token opens nothing.
_COUNTED: Final = (
    r"(?:(?<!page)(?<!page[_-])(?<!cursor[_-])token|x-(?:amz|goog)-(?:signature|credential)"
    r"|x-amz-security-token|(?<![A-Za-z0-9])sig|signature)(?![\"'\s:=]{0,9}\d{1,9}\b)"
)
_SCHEME: Final = r"(?i)\b(?:bearer|basic|token token=|oauth|flyv1|digest)"
_QUOTES: Final = r"(?:[\"'\\]|&quot;|&#3[49];|&#x27;){0,4}"
_BY_NAME: Final = (
    rf"(?i:{NAMES}|{_COUNTED}){_QUOTES}\s{{0,9}}(?:[:=]>?|%3D)\s{{0,9}}"
    rf"(?:[fbr]{{0,2}}\"(?P<quoted>(?!(?:{SAID})\")[^\"\\\n]{{4,512}})\""
    rf"|[fbr]{{0,2}}'(?P<single>(?!(?:{SAID})')[^'\\\n]{{4,512}})'"
    rf"|{_QUOTES}(?![{{\[(<])(?!{SAID})(?!(?i:bearer|basic|token|oauth)\s)"
    rf"(?P<bare>[^\s\"',;&}}\\<>]{{6,512}}))"
)


def _finder(pattern: str | Beginning) -> Finder:
    return pattern if isinstance(pattern, Beginning) else re.compile(pattern)


_NAMED: Final = Beginning(rf"{NAMES_BEGIN}|t(?=oken)|x(?=-amz|-goog)|s(?=ig)", _BY_NAME)


def _of_vendors(*, early: bool) -> Iterator[tuple[str, str]]:
    return ((token.kind, token.pattern) for token in TOKENS if token.early is early)


# Order matters: where two overlap, the first one names the kind.
_IN_ORDER: Final[tuple[tuple[str, str | Beginning], ...]] = (
    (
        "private key",
        (
            r"-----BEGIN[ +][A-Z +]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----[\s\S]*?"
            r"(?:-----END[ +][A-Z +]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----|\Z)"
        ),
    ),
    ("jwt", r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,8192}\.[\w-]{0,8192}(?:\.[\w-]{0,8192}){1,3}"),
    ("dsn password", r"://[^\s:/@\[]{0,128}:([^\s/\"'<>\[\]]{1,256})@(?=[\w\[.-])"),
    # In the URL of a database a slash in the password is often left as it is.
    (
        "dsn password",
        (
            r"(?:postgres(?:ql)?|mysql|mariadb|rediss?|amqps?|mongodb)(?:\+\w{1,16})?"
            r"://[^\s:/@\[]{0,128}:([^\s\"'<>\[\]]{1,256})@(?=[\w\[.-])"
        ),
    ),
    ("dsn key", r"https?://([0-9a-f]{32})(?::[0-9a-f]{32})?@(?=[\w.-])"),
    *_of_vendors(early=True),
    (
        "cookie",
        (
            r"(?i)\b(?:set-)?cookie[\"']?\s{0,4}[:=]\s{0,4}[\"']?"
            r"([\w.-]{1,128}=[^\s\"'][^\r\n\"']{3,4096})"
        ),
    ),
    (
        "authorization header",
        # A digit or a sign tells a token from the words after "bearer of".
        rf"{_SCHEME}[ =]{{1,4}}[\"']?((?=\S{{0,99}}?[\d+/=_~-])[\w.~+/=-]{{8,8192}})",
    ),
    (
        "authorization header",
        (
            r"(?i)\bauthorization[\"']?\s{0,4}[:=,]\s{0,4}[\"']?"
            r"((?:[a-z]{3,12} )?[\w.~+/=-]{8,8192})"
        ),
    ),
    ("named secret", _NAMED),
    *(("command option", pattern) for pattern in OPTIONS),
    *(("command password", pattern) for pattern in COMMANDS),
    *(("written secret", pattern) for pattern in WRITTEN),
    *(("one-time code", pattern) for pattern in CODES),
    *_of_vendors(early=False),
    ("password hash", r"SCRAM-SHA-256\$[\w+/=$:]{40,256}|\$2[aby]\$\d\d\$[\w./]{53}"),
)
PATTERNS: Final = tuple((name, _finder(pattern)) for name, pattern in _IN_ORDER)
# These have a form of their own, so that they are told apart even where line breaks part them.
_FIRM_KINDS: Final = {"jwt", *(token.kind for token in TOKENS if token.firm)}
FIRM: Final = tuple((kind, pattern) for kind, pattern in PATTERNS if kind in _FIRM_KINDS)
# Whom it concerns, not what it opens: looked for where no secret is left.
PERSONAL: Final[tuple[tuple[str, Finder], ...]] = (
    (
        "e-mail",
        re.compile(
            r"(?<![\w.+-])(?<!://)(?!git@)[\w.+-]{1,64}@"
            r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}?\.[A-Za-z]{2,24}\b"
        ),
    ),
    (
        "phone",
        Beginning(
            r"[+(\d]|t(?=el:)",
            r"(?<![\w+.:-])\+[1-9]\d{0,2}(?:[ .()-]{1,2}\d{1,4}){2,5}\b(?![:.-]?\d)"
            r"|(?<![\w+.:-])\+[1-9]\d{9,14}\b(?![.:%])"
            r"|(?<![\w.:/-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}\b(?![-.:/]?\w)"
            r"|\btel:\+?[\d.()-]{7,20}",
        ),
    ),
)
