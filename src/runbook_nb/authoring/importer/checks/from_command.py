"""Checks from commands of a shell: kubectl get, SQL clients, health addresses, services."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from runbook_nb.authoring.commands.calls import judge_call
from runbook_nb.authoring.commands.judge import DATABASES
from runbook_nb.authoring.commands.programs import READING
from runbook_nb.authoring.commands.shell import Call, read_script
from runbook_nb.authoring.importer.checks.arguments import VARIABLE, arguments
from runbook_nb.authoring.importer.checks.draft import HIGHEST, CheckDraft, Offers, offered
from runbook_nb.authoring.importer.checks.from_kubectl import check_of_kubectl
from runbook_nb.authoring.importer.checks.from_query import check_of_promql, check_of_sql
from runbook_nb.authoring.importer.commands import Command
from runbook_nb.authoring.importer.placeholders import parameter_name, placeholders
from runbook_nb.runbook.blanks import FILL_IN

_HEALTH: Final = re.compile(
    r"health|ready|live(?:z|ness)?\b|/ping\b|/status\b|/up\b|actuator|heartbeat|/version\b",
    re.IGNORECASE,
)
_QUERY_PATH: Final = re.compile(r"/api/v1/query$")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The checks for a command; ``is_all`` says that they ask all that it asks."""

    checks: tuple[CheckDraft, ...]
    is_all: bool


def checks_of(command: Command, offers: Offers) -> Asked:
    """Return the checks that ask what a command asks; none where no probe does.

    Of a command that also changes something, the calls that read are asked.
    """
    if command.kind == "promql" or command.kind in DATABASES:
        found = _of_query(command, offers) if command.reads else None
        return Asked(checks=(found,) if found else (), is_all=found is not None)
    text = command.text
    for shown, inner in placeholders(text):
        # A placeholder is the variable of a shell here, and so a word of its own.
        text = text.replace(shown, f"${{{parameter_name(inner)}}}")
    known = frozenset(parameter_name(inner) for _, inner in placeholders(command.text))
    calls = [call for call in read_script(text).calls if not call.piped]
    made = [
        make(call, offers)
        for call in calls
        if (make := _MAKERS.get(_name(call))) and _names(call) <= known and _reads(call)
    ]
    checks = tuple({each.call: each for each in made if each is not None}.values())
    return Asked(checks=checks, is_all=command.reads and len(checks) == len(calls))


def _of_query(command: Command, offers: Offers) -> CheckDraft | None:
    if command.kind == "promql":
        return check_of_promql(command.text, offers)
    return None if command.kind in ("mysql", "mariadb") else check_of_sql(command.text, offers)


def _reads(call: Call) -> bool:
    return judge_call(call).reads


def _names(call: Call) -> frozenset[str]:
    """Return the variables that the words of a call name."""
    named = (found[1] for word in call.words for found in VARIABLE.finditer(word))
    return frozenset(map(parameter_name, named))


def _name(call: Call) -> str:
    return _words(call)[0] if _words(call) else ""


def _words(call: Call) -> tuple[str, ...]:
    """Return the words of a call without the yes of root before them."""
    return call.words[1:] if call.words[:1] == ("sudo",) else call.words


def _client(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["psql"].arguments(_words(call)[1:])
    asked = [*given.values("-c", "--command"), *filter(None, [call.given])]
    return check_of_sql(asked[0], offers) if len(asked) == 1 else None


def _curl(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["curl"].arguments(_words(call)[1:])
    addresses = [*given.operands, *given.values("--url")]
    if len(addresses) != 1:
        return None
    address = addresses[0] if "://" in addresses[0] else f"http://{addresses[0]}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if _QUERY_PATH.search(parts.path):
        data = given.values("--data-urlencode", "-d", "--data")
        asked = parse_qs(parts.query).get("query") or [
            each.removeprefix("query=") for each in data if each.startswith("query=")
        ]
        return check_of_promql(asked[0], offers) if asked else None
    path = parts.path or "/"
    # The bare address of a service is asked whether it answers at all.
    bare = path == "/" and not parts.query
    wants_code = any("http_code" in value for value in given.values("-w", "--write-out"))
    if "$" in path or not (_HEALTH.search(f"{path}?{parts.query}") or wants_code or bare):
        return None
    path = f"{path}?{parts.query}" if parts.query and "$" not in parts.query else path
    service = _service(parts.hostname or "")
    title = f"Status of {path}"
    return offered(offers, title, "http", "status", service, path, expect=("equals", (200,)))


def _service(host: str) -> str:
    """Return the name of the service that a host speaks of, or what its author must say."""
    first = host.partition(".")[0]
    named = re.fullmatch(r"[a-z][a-z0-9-]*", first) and first not in ("localhost", "www", "api")
    return first.replace("-", "_") if named else f"{FILL_IN} the service, as the settings name it"


def _promtool(call: Call, offers: Offers) -> CheckDraft | None:
    words = _words(call)
    if words[1:3] != ("query", "instant") or not words[4:]:
        return None
    return check_of_promql(words[-1], offers)


def _systemctl(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["systemctl"].arguments(_words(call)[1:])
    if given.operands[:1] not in (("status",), ("is-active",)) or len(given.operands) != 2:  # noqa: PLR2004 - the verb and the unit
        return None
    words = arguments(("systemctl", "is-active", given.operands[1]))
    if words is None:
        return None
    title = f"{given.operands[1]} is active"
    return offered(offers, title, "command", "exit_code", words, expect=("equals", (0,)))


def _service_status(call: Call, offers: Offers) -> CheckDraft | None:
    name, *rest = _words(call)[1:] or ("",)
    if rest != ["status"]:
        return None
    return _systemctl(Call(words=("systemctl", "status", name)), offers)


def _df(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["df"].arguments(_words(call)[1:])
    path = given.operands[0] if given.operands else "/"
    words = arguments(("df", "--output=pcent", path))
    if words is None or len(given.operands) > 1 or given.has("-i", "--inodes"):
        return None
    named = {"pattern": r"(\d+)%", "unit": "%"}
    limit = ("at_most", (HIGHEST, "%"))
    return offered(
        offers, f"Space used on {path}", "command", "number", words, named=named, expect=limit
    )


def _pgrep(call: Call, offers: Offers) -> CheckDraft | None:
    words = arguments(_words(call))
    if words is None:
        return None
    limit = ("at_least", (f"{FILL_IN} the lowest number that is healthy", "lines"))
    return offered(offers, " ".join(_words(call)), "command", "lines", words, expect=limit)


_Maker = Callable[[Call, Offers], CheckDraft | None]
_MAKERS: Final[Mapping[str, _Maker]] = {
    "kubectl": lambda call, offers: check_of_kubectl(_words(call)[1:], offers),
    "oc": lambda call, offers: check_of_kubectl(_words(call)[1:], offers),
    "psql": _client,
    "curl": _curl,
    "promtool": _promtool,
    "systemctl": _systemctl,
    "service": _service_status,
    "df": _df,
    "pgrep": _pgrep,
}
