"""What a text must hold to hold a secret of a kind: looked for first, since it takes no time.

Most texts are a few plain words. Looking for a plain word is hundreds of times faster than a
pattern, and where none of a kind's clues stands, its pattern cannot match.
"""

from typing import Final

# What stands before "key" where the key opens something; a key of a table is no secret.
_KEYS: Final = (
    *("secret", "access", "api", "auth", "private", "encryption", "account", "routing"),
    *("integration", "service", "role", "anon", "signing", "webhook"),
)
_ISSUERS: Final = ("npm", "hf", "glpat", "dop_v1", "shpat", "xai", "gsk")
# In small letters. A kind that is not here is always looked for.
CLUES: Final[dict[str, tuple[str, ...]]] = {
    "private key": ("-----begin",),
    "jwt": ("eyj",),
    "dsn password": ("://",),
    "dsn key": ("://",),
    "slack webhook": ("hooks.slack.com/",),
    "cookie": ("cookie",),
    "authorization header": ("bearer", "basic", "token", "oauth", "flyv1", "digest", "authoriz"),
    "named secret": (
        *("password", "passwd", "passphrase", "pwd", "secret", "assertion", "token", "credential"),
        "sig",
        *(f"{name}{joint}key" for name in _KEYS for joint in ("", "_", "-")),
    ),
    "slack token": ("xox", "xapp"),
    "google key": ("aiza", "aq."),
    "google token": ("ya29.", "1//0", "gocspx-", "4/0a"),
    "aws key": ("akia", "asia"),
    "github token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "supabase key": ("sbp_", "sbs_", "sb_secret_", "sb_publishable_"),
    "fly token": ("fm1", "fm2", "fo1"),
    "pagerduty token": ("u+", "pdus+", "pdut+"),
    "vercel token": ("vca_", "vcp_", "vci_", "vck_", "vcr_", "vercel_blob_rw_"),
    "composio key": ("ak_", "comp_"),
    "prefixed key": (
        *("sk-", "_live_", "_test_", "sg.", "pypi-age", "whsec_"),
        *(f"{name}{joint}" for name in _ISSUERS for joint in ("_", "-")),
    ),
    "password hash": ("scram-sha-256$", "$2a$", "$2b$", "$2y$"),
    "e-mail": ("@",),
}


def may_hold(kind: str, folded: str) -> bool:
    """Tell whether a text in small letters can hold a secret of that kind."""
    clues = CLUES.get(kind)
    return clues is None or any(clue in folded for clue in clues)
