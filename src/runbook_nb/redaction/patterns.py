"""What secrets look like: the tokens of every system that is spoken to, and their names."""

import re
from typing import Final

# Every repetition is bounded: an unbounded one takes minutes on a long line of dashes.
_NAMES: Final = (
    r"(?:password|passwd|secret|api[_-]?key|access[_-]?key|routing[_-]?key|integration[_-]?key"
    r"|service[_-]?key|signing[_-]?key)"
)
# A figure behind these is a count, as in "token: 4096".
_COUNTED: Final = (
    r"(?:token|x-amz-signature|(?<![A-Za-z0-9])sig|signature)(?=[^\n]{0,24}?[:=D>])"
    r"(?![\"'\s:=]{0,9}\d{1,9}\b)"
)
_SCHEME: Final = r"(?i)\b(?:bearer|basic|token token=|oauth|flyv1)"
_QUOTES: Final = r"(?:[\"'\\]|&quot;|&#3[49];){0,4}"
_BY_NAME: Final = (
    rf"(?i)(?<![\w-])[\w-]{{0,64}}?(?:{_NAMES}|{_COUNTED}){_QUOTES}\s{{0,9}}(?:[:=]>?|%3D)"
    rf"\s{{0,9}}{_QUOTES}(?![{{\[(<])[^\s\"',;&}}\\]{{6,}}"
)

# Order matters: the larger form first, since it contains the smaller ones.
PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "private key",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        ),
        ("jwt", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
        ("dsn password", r"(?<=://)([^\s:/@]{0,128}):[^\s@]{1,256}(?=@)"),
        ("slack webhook", r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{8,200}"),
        ("cookie", r"(?i)\b(?:set-)?cookie[\"']?\s{0,4}[:=]\s{0,4}[^\r\n]{6,4096}"),
        (
            "authorization header",
            # A digit or a sign tells a token from the words after "bearer of".
            rf"{_SCHEME}[ =]+(?=\S{{0,99}}?[\d+/=_~-])[\w.~+/=-]{{8,}}",
        ),
        ("named secret", _BY_NAME),
        ("slack token", r"\bx(?:ox[abceoprs]|app)-[\w-]{8,}"),
        ("google key", r"\bAIza[\w-]{30,}|\bAQ\.[\w-]{30,}"),
        ("google token", r"\bya29\.[\w.-]{20,}|\b1//0[\w-]{30,}|\bGOCSPX-[\w-]{20,}"),
        ("aws key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("github token", r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}"),
        ("supabase key", r"\bsb(?:p|_secret|_publishable)_[\w-]{16,}"),
        ("fly token", r"\bf(?:m1|m2|o1)[_r]?_[\w+/=-]{16,}"),
        ("pagerduty token", r"\bu\+[\w-]{16,20}\b|\bpdu[st]\+[\w-]{16,}"),
        ("prefixed key", r"\b(?:sk|pk|rk|ak|uak|comp|vercel|vc[apkr])[_-][\w-]{12,}"),
        ("e-mail", r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}?\.[A-Za-z]{2,24}\b"),
        ("phone", r"(?<![\w+.:-])\+[1-9]\d{0,2}(?:[ .()-]{1,2}\d{1,4}){2,5}\b(?![:.-]?\d)"),
    )
)

# A variable in capitals that ends in KEY opens something; a column such as metadata_key does not.
_SECRET_NAME: Final = re.compile(
    r"(?i:password|passwd|secret|api[_-]?key$|authorization|credential|dsn|cookie"
    r"|(?:routing|integration|signing|service|access)[_-]key$|(?:^|[_-])token$)|KEY$"
)


def names_secret(name: str) -> bool:
    """Tell whether a setting, variable or key of that name holds a secret."""
    return bool(_SECRET_NAME.search(name))
