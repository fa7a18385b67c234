"""What a text must hold to hold a secret of a kind: looked for first, since it takes no time.

Most texts are a few plain words. Looking for a plain word is hundreds of times faster than a
pattern, and where none of a kind's clues stands, its pattern cannot match.
"""

from typing import Final

from runbook_nb.redaction.tokens import TOKENS

# What stands before "key" where the key opens something; a key of a table is no secret.
_KEYS: Final = (
    *("secret", "access", "api", "auth", "private", "encryption", "account", "routing"),
    *("integration", "service", "role", "anon", "signing", "webhook"),
)
# In small letters. A kind that is not here is always looked for.
CLUES: Final[dict[str, tuple[str, ...]]] = {
    "private key": ("-----begin",),
    "jwt": ("eyj",),
    "dsn password": ("://",),
    "dsn key": ("://",),
    "cookie": ("cookie",),
    "authorization header": ("bearer", "basic", "token", "oauth", "flyv1", "digest", "authoriz"),
    "named secret": (
        *("password", "passwd", "passphrase", "pwd", "secret", "assertion", "token", "credential"),
        "sig",
        *(f"{name}{joint}key" for name in _KEYS for joint in ("", "_", "-")),
    ),
    "command option": ("-", "pgpassword=", "mysql_pwd=", "rediscli_auth=", "sshpass="),
    "password hash": ("scram-sha-256$", "$2a$", "$2b$", "$2y$"),
    "e-mail": ("@",),
    **{token.kind: token.clues for token in TOKENS},
}


def may_hold(kind: str, folded: str) -> bool:
    """Tell whether a text in small letters can hold a secret of that kind."""
    clues = CLUES.get(kind)
    return clues is None or any(clue in folded for clue in clues)
