"""Guess whether a command only reads; what is not known to read is taken to change something."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.lint.rules.commands import changes

QUERIES: Final = frozenset(
    ["promql", "logql", "kql", "kusto", "spl", "influxql", "traceql", "splunk"]
)
DATABASES: Final = frozenset(
    ["sql", "psql", "mysql", "postgres", "postgresql", "plsql", "tsql", "sqlite", "cql"]
)
PROGRAMS: Final = frozenset(
    ["python", "python3", "py", "pycon", "ruby", "redis", "redis-cli", "mongo", "mongosh"]
)
_OPTIONS: Final = r"(?:\s+-\S+(?:\s+[^-\s]\S*)??)*\s+"
_READS: Final = (
    r"(?:kubectl|oc)" + _OPTIONS + r"(?:get|describe|logs|top|explain|version|cluster-info|diff|"
    r"api-resources|auth\s+can-i|rollout\s+(?:status|history)|"
    r"config\s+(?:view|get-contexts|current-context))\b",
    r"helm" + _OPTIONS + r"(?:list|ls|status|history|get|version|show|template)\b",
    r"(?:docker|podman|crictl)"
    + _OPTIONS
    + r"(?:compose\s+(?:ps|logs)|ps|logs|inspect|images|stats|top|info|version)\b",
    r"git" + _OPTIONS + r"(?:log|status|diff|show|blame|describe)\b",
    r"systemctl" + _OPTIONS + r"(?:status|list-\w+|is-\w+|show|cat)\b",
    r"service\s+\S+\s+status\b|journalctl\b(?!.*--(?:vacuum|rotate|flush))",
    r"aws\s+[\w-]+\s+(?:describe|list|get|head|ls)[\w-]*",
    r"gcloud(?:\s+[\w-]+){1,4}\s+(?:list|describe|read)\b|az(?:\s+[\w-]+){1,3}\s+(?:list|show)\b",
    (
        r"curl\b(?!.*\s(?:-[a-zA-Z]*[dFTXoOK]|--(?:data|form|upload|request|output|remote|json|config))"
        r"(?!\s*GET\b))"
    ),
    r"(?:psql|mysql)\b.*?\s-\w*[ce]\s*[\"']\s*(?:select|show|explain|describe|\\[dlcx])",
    r"redis-cli\b.*?\s(?:info|get|ping|keys|llen|slowlog|ttl|dbsize|scan|exists|type|client\s+list)\b",
    r"(?:terraform|tofu)\s+(?:plan|show|output|validate|state\s+list)\b",
    r"(?:fly|flyctl|vercel|supabase)\s+(?:status|logs|list|ls|inspect|\w+\s+(?:list|show|status))\b",
    r"(?:rabbitmqctl|kafka-\S+).*?\s(?:list_\w+|status|--list|--describe)\b",
    (
        r"(?:etcdctl|vault|consul|nodetool|promtool)\s+(?:get|status|read|members|info|query|check|"
        r"endpoint\s+\w+|kv\s+get|member\s+list)\b"
    ),
    r"openssl\s+(?:s_client|x509|version)\b|sed\b(?!.*\s-\w*i)|find\b(?!.*\s-(?:delete|exec|ok))",
    (
        r"(?:cat|ls|ll|grep|egrep|fgrep|zgrep|head|tail|less|wc|sort|uniq|cut|tr|jq|yq|echo|printf|ps|"
        r"top|htop|df|du|free|uptime|vmstat|iostat|netstat|ss|lsof|dig|nslookup|host|ping|traceroute|mtr|"
        r"id|whoami|w|who|date|uname|printenv|pwd|stat|file|which|pgrep|column|diff|md5sum|"
        r"sha256sum|sleep|cd|sar|dmesg)(?=\s|$)(?!.*\s-o\s)"
    ),
)
_READ = re.compile(rf"^(?:{'|'.join(_READS)})", re.IGNORECASE)
_READ_SQL = re.compile(
    r"^(?:select|show|explain|describe|desc|with|use|\\[dlcx?+]\S*)\b|^--", re.IGNORECASE
)
_WRITES_FILE = re.compile(r"(?<![<>=&-])>{1,2}(?!\s*(?:/dev/null|&))\s*[\w./~$\"']")
_WRAPPED = re.compile(r"^(?:(?:sudo|time|watch)(?:\s+-\S+(?:\s+\d+)?)*\s+|[A-Z_]+=\S*\s+)+")
_QUOTED = re.compile(r"'[^']*'|\"(?:(?!\$\()[^\"`])*\"")
_PARTS = re.compile(r"&&|\|\||[;|&`\n]|\$\(")


def guess(lines: Sequence[str], language: str) -> tuple[bool, str]:
    """Return whether lines are guessed to read only, and why."""
    if language in QUERIES:
        return True, "a query of a monitoring system"
    joined = "\n".join(lines).replace("\\\n", " ")
    statements = [line.strip() for line in joined.split("\n")]
    statements = [line for line in statements if line and not line.startswith(("#", "--", "//"))]
    for line in statements:
        if what := changes(line):
            return False, f"because of `{what.replace('`', '')}`"
    if language in DATABASES or (statements and _READ_SQL.match(statements[0])):
        reads = all(map(_READ_SQL.match, _statements(joined)))
        return reads, "a query" if reads else "it is not known to read only"
    if language in PROGRAMS or not all(map(_only_reads, statements)):
        return False, "it is not known to read only"
    return True, "each part is known to read only"


def _statements(sql: str) -> list[str]:
    bare = re.sub(r"--.*", "", sql)
    return [part.strip() for part in bare.split(";") if part.strip()]


def _only_reads(line: str) -> bool:
    if _WRITES_FILE.search(_QUOTED.sub('""', line)):
        return False
    line = _WRAPPED.sub("", line)
    if line.startswith(("psql", "mysql")):
        return bool(_READ.match(line)) and "|" not in line and line.count(";") <= 1
    parts = (part.strip(" )\"'") for part in _PARTS.split(_QUOTED.sub('""', line)))
    return all(_READ.match(_WRAPPED.sub("", part)) for part in parts if part)
