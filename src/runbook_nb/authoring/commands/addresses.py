"""What curl and wget do: they read where they only get, and where the address itself acts not."""

import re
from typing import Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown
from runbook_nb.authoring.commands.programs import READING, Arguments

_GETTING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NOWHERE: Final = frozenset({"-", "/dev/null"})
_DATA: Final = ("-d", "--data", "--data-urlencode", "--data-raw", "--data-ascii")
_HOST: Final = re.compile(r"^(?:[a-z]+://)?[^/?]*", re.IGNORECASE)
# Parts of an address that do something when they are asked for.
_ACTING: Final = re.compile(
    r"(?:^|[/_.=&?-])(?:quit\w*|reload|shutdown|restart|reboot|reset|delete|destroy|drop|flush|purge|"
    r"clear|stop|start|kill|trigger|disable|enable|toggle|deploy|rollback|invoke|exec|execute|"
    r"drain|evict|logout|unsubscribe|create|update|remove|cancel|retry|approve|webhook|hooks|"
    r"invalidate|refresh|migrate|backup|restore|failover|switchover|rebuild|reindex|scale|apply|"
    r"submit|send|notify|ack|acknowledge|silence|sync|abort|terminate|revoke|unlock|lock|gc|"
    r"reroute|promote|demote|pause|resume|rotate|run|set|add|forcemerge|rollover)(?=$|[/_.=&?-])",
    re.IGNORECASE,
)


def acts_by_path(address: str) -> bool:
    """Tell whether an address does something when it is asked for, as ``/-/quit`` does."""
    return bool(_ACTING.search(_HOST.sub("", address)))


def judge_curl(given: Arguments) -> Judgement:
    """Return what a call of curl does whose options are known."""
    for value in given.values("-X", "--request"):
        if value.upper() not in _GETTING:
            return changes(f"curl -X {value}")
    if given.has(*_DATA) and not given.has("-G", "--get"):
        return changes("curl with data")
    for value in given.values("-o", "--output"):
        if value not in _NOWHERE:
            return changes(f"curl -o {value}")
    if any("%output{" in value for value in given.values("-w", "--write-out")):
        return changes("curl -w %output")
    return _judge_addresses("curl", [*given.operands, *given.values("--url")])


def judge_wget(given: Arguments) -> Judgement:
    """Return what a call of wget does whose options are known: unless told, it writes a file."""
    targets = given.values("-O", "--output-document")
    if not (given.has("--spider") or targets) or not _NOWHERE.issuperset(targets):
        return changes("wget writes a file")
    return _judge_addresses("wget", given.operands)


def judge_raw(words: tuple[str, ...]) -> Judgement:
    """Return what ``kubectl get --raw`` does, by its paths."""
    given = READING["kubectl"].arguments(words)
    return _judge_addresses("kubectl --raw", [*given.values("--raw"), "/"])


def _judge_addresses(program: str, addresses: list[str] | tuple[str, ...]) -> Judgement:
    for address in addresses:
        other = "://" in address and not address.lower().startswith(("http://", "https://"))
        if other or acts_by_path(address):
            return changes(f"{program} {address}")
    return READS if addresses else unknown("it names no address")
