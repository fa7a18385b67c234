"""The small languages within a call: a script of sed, a program of awk, a command of Redis."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown

_AWK_STRING: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"")
# A slash begins a pattern only where no value stands before it; else it divides.
_AWK_PATTERN: Final = re.compile(r"(^|[(,~!{};\n]|&&|\|\|)(\s*)/(?:\\.|[^/\\\n])*/")
_AWK_ACTS: Final = re.compile(r"\bsystem\s*\(|(?<!\|)\|(?!\|)|\bgetline\b|@|\bclose\s*\(")
_AWK_WRITES: Final = re.compile(r"\bprintf?\b(?:[^;{}\n()]|\((?:[^()]|\([^()]*\))*\))*>")
_SED_ADDRESS: Final = r"(?:\d+|\$|/(?:\\.|[^/\\\n])*/[IM]*|\\?\+\d+|~\d+)"
_SED_COMMAND: Final = re.compile(
    rf"\s*(?:{_SED_ADDRESS}(?:\s*,\s*{_SED_ADDRESS})?(?:~\d+)?)?\s*!?\s*"
    r"(?:[pdDgGhHnNx=lPz]|[qQ]\d*|s(?P<by>[^\w\s\\])(?:\\.|(?!(?P=by)).)*(?P=by)(?:\\.|(?!(?P=by)).)*(?P=by)[gpiIM\d]*|"
    r"y(?P<to>[^\w\s\\])(?:\\.|(?!(?P=to)).)*(?P=to)(?:\\.|(?!(?P=to)).)*(?P=to))?\s*(?:[;}\n]|$)\s*"
)
_REDIS_WORDS: Final = """
get mget info ping keys scan llen lrange lindex ttl pttl type exists dbsize hget hgetall hlen
hkeys hvals hmget hexists hscan smembers scard sismember sscan zrange zcard zscore zcount zscan
zrank zrevrange xlen xrange xrevrange xpending strlen getrange role lastsave time echo auth select
bitcount getbit touch-none randomkey monitor help quit exit command lolwut geopos
"""
_REDIS: Final = frozenset(_REDIS_WORDS.split())
_REDIS_SUB: Final = {
    "client": {"list", "info", "getname", "id"},
    "config": {"get"},
    "slowlog": {"get", "len"},
    "cluster": {"info", "nodes", "slots", "shards", "keyslot", "myid", "countkeysinslot"},
    "memory": {"usage", "stats", "doctor"},
    "latency": {"latest", "history", "doctor", "graph"},
    "object": {"encoding", "freq", "idletime", "refcount"},
    "xinfo": {"stream", "groups", "consumers"},
    "pubsub": {"channels", "numsub", "numpat"},
    "acl": {"list", "whoami", "cat", "users"},
    "sentinel": {"masters", "master", "replicas", "slaves", "sentinels", "get-master-addr-by-name"},
    "debug": {"object"},
}


def judge_awk(program: str) -> Judgement:
    """Return what a program of awk does: it may write files and run commands."""
    bare = _AWK_PATTERN.sub(r"\1\2PATTERN", _AWK_STRING.sub("STRING", program))
    if found := _AWK_ACTS.search(bare):
        return changes(f"awk {found[0].strip()}")
    if _AWK_WRITES.search(bare):
        return changes("awk >")
    return READS


def judge_sed(script: str) -> Judgement:
    """Return what a script of sed does: it may write files and run commands."""
    at, text = 0, script.strip().lstrip("{")
    while at < len(text):
        found = _SED_COMMAND.match(text, at)
        if found is None or found.end() == at:
            return changes(f"sed {text[at : at + 20]}")
        at = found.end()
    return READS


def judge_redis(words: Sequence[str]) -> Judgement:
    """Return what a command of Redis does."""
    if not words:
        return unknown("what is typed in its session decides")
    first, second = words[0].lower(), words[1].lower() if len(words) > 1 else ""
    if first in _REDIS or second in _REDIS_SUB.get(first, set()):
        return READS
    return changes(" ".join(words[:2]))
