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
_NAMED: Final = (
    *("password", "passwd", "passphrase", "pwd", "secret", "assertion"),
    *("_pass", "-pass", ".pass"),
    *(f"{name}{joint}key" for name in _KEYS for joint in ("", "_", "-")),
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
        *_NAMED,
        *("token", "credential", "sig"),
    ),
    "command option": (" -", "\t-", "\n-", "--", "'-", '"-', "`-"),
    "command password": (
        *("sshpass", "mysql", "mariadb", "mongo", "7z", " login", "redis-cli", "ldap", "zip "),
        *("sqlcmd", "bcp", "mosquitto", "smbclient", "rpcclient", "pass:", "openssl enc"),
        *("curl", "--from-literal", "sqlplus", "net use", "-stdin", "--with-token"),
        *("pgpassword", "mysql_pwd", "rediscli_auth"),
    ),
    "written secret": (*_NAMED, "token", "identified"),
    "one-time code": ("otp", "mfa", "2fa", "pin", "passcode", "verification"),
    "password hash": ("scram-sha-256$", "$2a$", "$2b$", "$2y$"),
    "e-mail": ("@",),
    **{token.kind: token.clues for token in TOKENS},
}


def may_hold(kind: str, folded: str) -> bool:
    """Tell whether a text in small letters can hold a secret of that kind."""
    clues = CLUES.get(kind)
    if clues is None:
        return True
    # A plain loop: this is asked dozens of times of every text, and a generator costs as much
    # again.
    for clue in clues:  # noqa: SIM110
        if clue in folded:
            return True
    return False
