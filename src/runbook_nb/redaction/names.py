"""The words by which secrets are named, and those that only say how one fares."""

import re
from typing import Final

NAMES: Final = (
    r"(?:password|passwd|passphrase|pwd|secret(?:[_-]?(?:access[_-]?)?key(?:[_-]?base)?)?"
    r"|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|encryption[_-]?key"
    r"|account[_-]?key|routing[_-]?key|integration[_-]?key|service[_-]?key"
    r"|service[_-]?role[_-]?key|anon[_-]?key|signing[_-]?key|webhook[_-]?key|client[_-]?assertion"
    r"|(?<=[a-z0-9][_-])pass|(?-i:(?<=[a-z0-9]\.)pass))"
)
# Where one of them begins, as ``beginnings`` needs it.
NAMES_BEGIN: Final = (
    r"p(?=ass|wd|rivate)|s(?=ecret|ervice|igning)|a(?=pi|ccess|uth|ccount|non)|e(?=ncryption)"
    r"|r(?=outing)|i(?=ntegration)|w(?=ebhook)|c(?=lient)"
)
# Words that say how a secret fares, names of variables, and code that fetches one.
SAID: Final = (
    r"(?:string|str|bytes|optional|required|missing|expired|invalid|revoked|refused|rejected"
    r"|rotated|redacted|withheld|masked|hidden|unknown|present|absent|integer|boolean|disabled"
    r"|enabled|changed|unchanged|nothing|exists|secretstr)\b(?![\w+/=-])"
    r"|[A-Z]{2,20}(?:_[A-Z0-9]{1,20}){1,8}\b(?![\w+/=-])"
    r"|(?:os\.(?:environ|getenv)|getenv|environ|process\.env|settings\.|self\.|config\.|secrets\.)"
)
# A variable in capitals that ends in KEY opens something; a column such as metadata_key does not.
_SECRET_NAME: Final = re.compile(
    r"(?i:password|passwd|passphrase|passcode|secret|api[_-]?key$|authorization|credential|dsn"
    r"|cookie|(?:routing|integration|signing|service|access|private|anon|role|encryption)[_-]?key$"
    r"|(?:^|[_.-])(?:pass|pw|pwd)$|^(?:bearer|jwt)$|^(?:otp|totp|mfa|2fa|pin|cvv)(?:[_-]?code)?$"
    r"|(?<!page)(?<!page[_-])(?<!cursor[_-])(?:^|[_-]|(?<=[a-z]))token$)|KEY$"
)


def names_secret(name: str) -> bool:
    """Tell whether a setting, variable or key of that name holds a secret."""
    return bool(_SECRET_NAME.search(name))
