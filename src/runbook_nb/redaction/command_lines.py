"""Secrets in commands, statements and forms: behind an option, a word or a tag that names them.

Every repetition is bounded; only the group of a pattern is the secret. Each comes with where it
begins, in small letters.
"""

from typing import Final

from runbook_nb.redaction.beginnings import Beginning
from runbook_nb.redaction.names import NAMES, NAMES_BEGIN, SAID

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
    Beginning(
        r"-",
        rf"(?i)(?<![\w-])--?(?:[a-z0-9]{{1,20}}[-_]){{0,3}}"
        rf"(?:{NAMES}|token|credentials?|pass|pw){_GAP}"
        rf"(?!-)(?!{SAID})(?:{_QUOTED}|([^\s\"'|;&<>-][^\s\"'`|;&<>]{{3,512}}))",
    ),
    # `-u user:x`, `curl -uuser:x`, `http -a user:x`
    Beginning(
        r"-(?=u|a|-user|-proxy-user)",
        r"(?<![\w-])(?:--user|--proxy-user|-[ua])[ \t=]{0,4}[\"']?"
        r"[^\s:\"'@/=-][^\s:\"'@/]{0,127}:(?!\d{1,9}\b)([^\s\"'`|;&<>]{3,512})",
    ),
)
COMMANDS: Final = (
    # Commands whose `-p`, `-a`, `-w` or `-P` is a password.
    Beginning(
        r"s(?=shpass)|m(?=ysql|ariadb|ongo)|7(?=z)",
        rf"(?<!\w)(?:sshpass|mysql\w{{0,10}}|mariadb[\w-]{{0,10}}|mongo\w{{0,10}}|7z\w?)\b{_REST}-p"
        rf"[ =]?{_NO_PORT}{_VALUE}",
    ),
    Beginning(
        r"d(?=ocker)|p(?=odman)|n(?=erdctl)|a(?=z)|o(?=c|ras)|c(?=f|rane)|h(?=elm)",
        rf"(?<!\w)(?:docker|podman|nerdctl|az|oc|cf|helm|crane|oras)(?: \w{{1,20}})? login\b{_REST}"
        rf"-p[ =]{_VALUE}",
    ),
    Beginning(r"r(?=edis-cli)", rf"(?<!\w)redis-cli\b{_REST}-a[ =]?{_VALUE}"),
    Beginning(r"l(?=dap)", rf"(?<!\w)ldap\w{{1,10}}\b{_REST}-w[ =]?{_VALUE}"),
    Beginning(
        r"u(?=nzip)|z(?=ip)|s(?=qlcmd)|b(?=cp)|m(?=osquitto_)",
        rf"(?<!\w)(?:unzip|zip|sqlcmd|bcp|mosquitto_\w{{3}})\b{_REST}-P[ =]?{_NO_PORT}{_VALUE}",
    ),
    Beginning(
        r"s(?=mbclient)|r(?=pcclient)",
        rf"(?<!\w)(?:smbclient|rpcclient)\b{_REST}-U[ =]?[\"']?[^\s%\"']{{1,64}}"
        r"%([^\s\"']{3,512})",
    ),
    Beginning(r"-(?=pass)", r"(?<!\w)-pass(?:in|out)?[ =]pass:([^\s\"']{3,512})"),
    Beginning(r"o(?=penssl enc)", rf"(?<!\w)openssl enc\b{_REST}-k[ =]{_VALUE}"),
    Beginning(
        r"c(?=url)",
        r"(?<!\w)curl\b[^\n|;]{0,300}?\s(?:-b|--cookie)[ =]?[\"']?"
        r"([\w.-]{1,64}=[^\s\"']{3,512})",
    ),
    Beginning(
        r"-(?=-from-literal)",
        r"(?<!\w)--from-literal[= ][\"']?[\w.-]{1,64}=([^\s\"']{3,512})",
    ),
    Beginning(r"s(?=qlplus)", r"(?<!\w)sqlplus(?:64)?\s+[^\s/@]{1,64}/([^\s@\"']{3,512})"),
    Beginning(r"n(?=et use)", r"(?i)(?<!\w)net use\s+\S{1,128}\s+(?![/*])(\S{3,512})\s+/user"),
    Beginning(
        r"e(?=cho)",
        r"(?<!\w)echo\s+(?:-n\s+)?[\"']?([^\s\"'$|]{3,512})[\"']?\s*\|"
        r"[^\n]{0,120}--(?:password|token)-stdin",
    ),
    Beginning(
        r"-(?=-with-token)", r"(?<!\w)--with-token\b[^\n<]{0,40}<<<\s*[\"']?([^\s\"'$]{3,512})"
    ),
    Beginning(
        r"p(?=gpassword)|m(?=ysql_pwd)|r(?=ediscli_auth)|s(?=shpass)",
        r"(?<![A-Z])(?:PGPASSWORD|MYSQL_PWD|REDISCLI_AUTH|SSHPASS)\s?=\s?[\"']?([^\s\"';&|]{3,512})",
    ),
)
WRITTEN: Final = (
    # SQL: `alter role r password 'x'`, `identified by 'x'`
    Beginning(
        r"p(?=assword)|i(?=dentified)",
        r"(?i)\b(?:password|identified\s+(?:with\s+\w{1,40}\s+)?(?:by|as))\s{1,9}"
        r"'([^'\n]{3,512})'",
    ),
    # `machine h login u password x`, `the password is x1y2z3…`, `configure set secret_key x1y2…`
    Beginning(
        r"l(?=ogin)|u(?=ser)",
        r"(?i)\b(?:login|user)\s+[^\s]{1,64}\s+password\s+([^\s\"']{3,512})",
    ),
    Beginning(
        NAMES_BEGIN,
        rf"(?i)(?:{NAMES})(?:\s+(?:is|was|to|now))?\s{{1,4}}[\"'`]?(?!{SAID})({_MIXED})",
    ),
    # `<password>x</password>`, `key="DbPassword" value="x"`
    Beginning(
        r"<",
        rf"(?i)<[\w:.-]{{0,40}}(?:{NAMES}|token)[\w:.-]{{0,20}}>\s{{0,9}}"
        r"([^<\s][^<\n]{2,512})</",
    ),
    Beginning(
        r"k(?=ey)|n(?=ame)|t(?=ype)|i(?=d)",
        rf"(?i)\b(?:key|name|type|id)\s?=\s?[\"'][\w.:-]{{0,40}}(?:{NAMES}|token)[\w.:-]{{0,20}}"
        r"[\"'][^<>\n]{0,120}?\b(?:value|content)\s?=\s?[\"']([^\"'\n]{3,512})",
    ),
)
CODES: Final = (
    Beginning(
        r"o(?=tp)|t(?=otp)|m(?=fa)|2(?=fa)|p(?=in|asscode)|v(?=erification)",
        r"(?i)\b(?:otp|totp|mfa|2fa|pin|passcode|verification)(?:[ _-]?code)?[\"']?\s{0,3}[:=]"
        r"\s{0,3}[\"']?(\d{4,8})\b",
    ),
)
