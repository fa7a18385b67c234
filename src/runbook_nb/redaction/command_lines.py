"""Secrets in commands, statements and forms: behind an option, a word or a tag that names them.

Every repetition is bounded; only the group of a pattern is the secret.
"""

from typing import Final

from runbook_nb.redaction.names import NAMES, SAID

_VALUE: Final = r"[\"']?(?!-)([^\s\"'`|;&<>]{3,512})"
_QUOTED: Final = r"(?:\"([^\"\n]{3,512})\"|'([^'\n]{3,512})')"
_GAP: Final = r"[ \t=]{1,4}"
_REST: Final = r"[^\n|;]{0,300}?\s"
# A word that could be a password beside plain words: letters and figures, eight at least.
_MIXED: Final = r"(?=[^\s\"']{0,64}\d)(?=[^\s\"']{0,64}[A-Za-z])[^\s\"'<>,;|&)]{8,512}"
# A port, a pair of ids or ports, and a path are no password.
_NO_PORT: Final = r"(?![\"']?(?:\d{1,5}(?::\d{1,5})?\b|[./~]))"

OPTIONS: Final = (
    # `--password x`, `--token=x`, `-db-pass x`
    (
        rf"(?i)(?<![\w-])--?(?:[a-z0-9]{{1,20}}[-_]){{0,3}}"
        rf"(?:{NAMES}|token|credentials?|pass|pw){_GAP}"
        rf"(?!-)(?!{SAID})(?:{_QUOTED}|([^\s\"'|;&<>-][^\s\"'`|;&<>]{{3,512}}))"
    ),
    # `-u user:x`, `curl -uuser:x`, `http -a user:x`
    (
        r"(?<![\w-])(?:--user|--proxy-user|-[ua])[ \t=]{0,4}[\"']?"
        r"[^\s:\"'@/=-][^\s:\"'@/]{0,127}:(?!\d{1,9}\b)([^\s\"'`|;&<>]{3,512})"
    ),
)
COMMANDS: Final = (
    # Commands whose `-p`, `-a`, `-w` or `-P` is a password.
    (
        rf"(?<!\w)(?:sshpass|mysql\w{{0,10}}|mariadb[\w-]{{0,10}}|mongo\w{{0,10}}|7z\w?)\b{_REST}-p"
        rf"[ =]?{_NO_PORT}{_VALUE}"
    ),
    (
        rf"(?<!\w)(?:docker|podman|nerdctl|az|oc|cf|helm|crane|oras)(?: \w{{1,20}})? login\b{_REST}"
        rf"-p[ =]{_VALUE}"
    ),
    rf"(?<!\w)redis-cli\b{_REST}-a[ =]?{_VALUE}",
    rf"(?<!\w)ldap\w{{1,10}}\b{_REST}-w[ =]?{_VALUE}",
    rf"(?<!\w)(?:unzip|zip|sqlcmd|bcp|mosquitto_\w{{3}})\b{_REST}-P[ =]?{_NO_PORT}{_VALUE}",
    rf"(?<!\w)(?:smbclient|rpcclient)\b{_REST}-U[ =]?[\"']?[^\s%\"']{{1,64}}%([^\s\"']{{3,512}})",
    r"(?<!\w)-pass(?:in|out)?[ =]pass:([^\s\"']{3,512})",
    rf"(?<!\w)openssl enc\b{_REST}-k[ =]{_VALUE}",
    r"(?<!\w)curl\b[^\n|;]{0,300}?\s(?:-b|--cookie)[ =]?[\"']?([\w.-]{1,64}=[^\s\"']{3,512})",
    r"(?<!\w)--from-literal[= ][\"']?[\w.-]{1,64}=([^\s\"']{3,512})",
    r"(?<!\w)sqlplus(?:64)?\s+[^\s/@]{1,64}/([^\s@\"']{3,512})",
    r"(?i)(?<!\w)net use\s+\S{1,128}\s+(?![/*])(\S{3,512})\s+/user",
    (
        r"(?<!\w)echo\s+(?:-n\s+)?[\"']?([^\s\"'$|]{3,512})[\"']?\s*\|"
        r"[^\n]{0,120}--(?:password|token)-stdin"
    ),
    r"(?<!\w)--with-token\b[^\n<]{0,40}<<<\s*[\"']?([^\s\"'$]{3,512})",
    r"(?<![A-Z])(?:PGPASSWORD|MYSQL_PWD|REDISCLI_AUTH|SSHPASS)\s?=\s?[\"']?([^\s\"';&|]{3,512})",
)
WRITTEN: Final = (
    # SQL: `alter role r password 'x'`, `identified by 'x'`
    r"(?i)\b(?:password|identified\s+(?:with\s+\w{1,40}\s+)?(?:by|as))\s{1,9}'([^'\n]{3,512})'",
    # `machine h login u password x`, `the password is x1y2z3…`, `configure set secret_key x1y2…`
    r"(?i)\b(?:login|user)\s+[^\s]{1,64}\s+password\s+([^\s\"']{3,512})",
    rf"(?i)(?:{NAMES})(?:\s+(?:is|was|to|now))?\s{{1,4}}[\"'`]?(?!{SAID})({_MIXED})",
    # `<password>x</password>`, `key="DbPassword" value="x"`
    rf"(?i)<[\w:.-]{{0,40}}(?:{NAMES}|token)[\w:.-]{{0,20}}>\s{{0,9}}([^<\s][^<\n]{{2,512}})</",
    (
        rf"(?i)\b(?:key|name|type|id)\s?=\s?[\"'][\w.:-]{{0,40}}(?:{NAMES}|token)[\w.:-]{{0,20}}[\"']"
        r"[^<>\n]{0,120}?\b(?:value|content)\s?=\s?[\"']([^\"'\n]{3,512})"
    ),
)
CODES: Final = (
    (
        r"(?i)\b(?:otp|totp|mfa|2fa|pin|passcode|verification)(?:[ _-]?code)?[\"']?\s{0,3}[:=]"
        r"\s{0,3}[\"']?(\d{4,8})\b"
    ),
)
