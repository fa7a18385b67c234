"""Checks from commands of a shell: kubectl get, SQL clients, health addresses, services."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from runbook_nb.authoring.commands.calls import judge_call
from runbook_nb.authoring.commands.judge import DATABASES
from runbook_nb.authoring.commands.programs import READING
from runbook_nb.authoring.commands.shell import Call, read_script
from runbook_nb.authoring.importer.checks.draft import HIGHEST, CheckDraft, Name, Offers, drafted
from runbook_nb.authoring.importer.checks.from_query import check_of_promql, check_of_sql
from runbook_nb.authoring.importer.commands import Command
from runbook_nb.authoring.importer.placeholders import parameter_name, placeholders
from runbook_nb.runbook.blanks import FILL_IN

_SHOWING_OPTIONS: Final = """
-o --output --sort-by --show-labels -w --watch --no-headers --context --kubeconfig -L
"""
_HEALTH: Final = re.compile(
    r"health|ready|live(?:z|ness)?\b|/ping\b|/status\b|/up\b|actuator|heartbeat|/version\b",
    re.IGNORECASE,
)
_QUERY_PATH: Final = re.compile(r"/api/v1/query$")
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
# How authors write that something else stands there.
_LEFT_OPEN: Final = re.compile(
    r"\.\.\.|…|^[A-Z][A-Z0-9]*[_-][A-Z0-9_-]+$|\b[xX]{3,}\b|^NAME(?:SPACE)?$|[*\[\]]"
)
_FIELD: Final = re.compile(r"\{?\.([\w.]+)\}?")
# Of what kubectl is told, this chooses what is read; all else is how it is shown, or where.
_CHOOSING: Final = ("-n", "--namespace", "-l", "--selector", "--field-selector")
_EVERYWHERE: Final = ("-A", "--all-namespaces")
_SHOWING: Final = frozenset(_SHOWING_OPTIONS.split())
_PODS: Final = frozenset({"po", "pod", "pods"})
_SECRET: Final = ("secret", "secrets")


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
    named = (found[1] for word in call.words for found in _VARIABLE.finditer(word))
    return frozenset(map(parameter_name, named))


def _name(call: Call) -> str:
    return _words(call)[0] if _words(call) else ""


def _words(call: Call) -> tuple[str, ...]:
    """Return the words of a call without the yes of root before them."""
    return call.words[1:] if call.words[:1] == ("sudo",) else call.words


def _argument(word: str) -> str | Name | None:
    """Return a word as an argument; None where a variable is only a part of it."""
    if found := _VARIABLE.fullmatch(word):
        return Name(parameter_name(found[1]))
    if _LEFT_OPEN.search(word):
        return f"{FILL_IN} {word}"
    return None if "$" in word or "`" in word else word


def _arguments(words: Sequence[str]) -> tuple[str | Name, ...] | None:
    found = tuple(_argument(word) for word in words)
    return None if None in found else tuple(each for each in found if each is not None)


def _kubectl(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["kubectl"].arguments(_words(call)[1:])
    objects = _objects(given.operands)
    chosen: list[str] = []
    for option, value in given.options:
        if option in _CHOOSING:
            chosen += [option, value]
        elif option in _EVERYWHERE:
            chosen.append(option)
        elif option not in _SHOWING:
            return None
    kinds = objects[0].partition("/")[0].split(",") if objects else [""]
    if not kinds[0] or any(kind in _SECRET for kind in kinds):
        return None
    words = _arguments(["get", *_apart(objects), *chosen])
    if words is None:
        return None
    title = " ".join(each.name if isinstance(each, Name) else each for each in words[1:])
    limit: tuple[str, tuple[object, ...]]
    if len(_apart(objects)) > 1 or "/" in objects[0]:
        path = _path(given.values("-o", "--output"))
        limit = ("one_of", (f"{FILL_IN} the values that are healthy",))
        return _offered(offers, title, "kubectl", "value", words, path, expect=limit)
    if kinds[0] in _PODS:
        named = {"where": "status.phase", "none_of": ("Running", "Succeeded")}
        limit = ("equals", (0, "objects"))
        said = f"Not running: {title}"
        return _offered(offers, said, "kubectl", "count", words, named=named, expect=limit)
    limit = ("at_most", (HIGHEST, "objects"))
    return _offered(offers, title, "kubectl", "count", words, expect=limit)


def _objects(operands: Sequence[str]) -> list[str]:
    """Return what a call reads: a list, or one object that is described or waited for."""
    match list(operands):
        case ["get", *objects]:
            return objects
        case ["describe", kind, name]:
            return [kind, name]
        case ["describe", named] if "/" in named:
            return [named]
        case ["rollout", "status", *objects]:
            return objects
    return []


def _apart(objects: Sequence[str]) -> list[str]:
    """Return ``deployment/${name}`` as two words, since a parameter is a word of its own."""
    if len(objects) == 1 and "$" in objects[0]:
        return objects[0].split("/", 1)
    return list(objects)


def _path(outputs: Sequence[str]) -> str:
    """Return the field that an output of JSONPath names, or what its author must say."""
    for output in outputs:
        found = _FIELD.fullmatch(output.partition("jsonpath=")[2].strip("'\""))
        if found:
            return found[1]
    return f"{FILL_IN} the field, such as status.readyReplicas"


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
    return _offered(offers, title, "http", "status", service, path, expect=("equals", (200,)))


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
    words = _arguments(("systemctl", "is-active", given.operands[1]))
    if words is None:
        return None
    title = f"{given.operands[1]} is active"
    return _offered(offers, title, "command", "exit_code", words, expect=("equals", (0,)))


def _service_status(call: Call, offers: Offers) -> CheckDraft | None:
    name, *rest = _words(call)[1:] or ("",)
    if rest != ["status"]:
        return None
    return _systemctl(Call(words=("systemctl", "status", name)), offers)


def _df(call: Call, offers: Offers) -> CheckDraft | None:
    given = READING["df"].arguments(_words(call)[1:])
    path = given.operands[0] if given.operands else "/"
    words = _arguments(("df", "--output=pcent", path))
    if words is None or len(given.operands) > 1 or given.has("-i", "--inodes"):
        return None
    named = {"pattern": r"(\d+)%", "unit": "%"}
    limit = ("at_most", (HIGHEST, "%"))
    return _offered(
        offers, f"Space used on {path}", "command", "number", words, named=named, expect=limit
    )


def _pgrep(call: Call, offers: Offers) -> CheckDraft | None:
    words = _arguments(_words(call))
    if words is None:
        return None
    limit = ("at_least", (f"{FILL_IN} the lowest number that is healthy", "lines"))
    return _offered(offers, " ".join(_words(call)), "command", "lines", words, expect=limit)


def _offered(
    offers: Offers,
    title: str,
    system: str,
    probe: str,
    *arguments: object,
    expect: tuple[str, Sequence[object]],
    named: Mapping[str, object] | None = None,
) -> CheckDraft | None:
    """Return the check where a pack in use offers the probe."""
    if not offers.package(system, probe):
        return None
    return drafted(title, system, probe, *arguments, expect=expect, named=named)


_Maker = Callable[[Call, Offers], CheckDraft | None]
_MAKERS: Final[Mapping[str, _Maker]] = {
    "kubectl": _kubectl,
    "oc": _kubectl,
    "psql": _client,
    "curl": _curl,
    "promtool": _promtool,
    "systemctl": _systemctl,
    "service": _service_status,
    "df": _df,
    "pgrep": _pgrep,
}
