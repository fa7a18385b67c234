"""The topics, each made of what the engine itself goes by."""

import dataclasses
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import runbook_nb
from runbook_nb.authoring.lint.call_registry import CallRegistry
from runbook_nb.authoring.lint.rules import RULES
from runbook_nb.authoring.reference.files import DrillFile, FrontMatter
from runbook_nb.authoring.reference.schemas import SCHEMAS, schema
from runbook_nb.authoring.reference.topic import Entry, Topic, documented
from runbook_nb.authoring.reference.variables import VARIABLES
from runbook_nb.incident import Incident
from runbook_nb.probes import environment
from runbook_nb.probes.calls import Systems
from runbook_nb.runbook import policy
from runbook_nb.runbook.lab import Lab
from runbook_nb.runbook.packs import Pack
from runbook_nb.timeline.events import EVENTS, VERDICTS_BY_RANK

_VERBS: Final = ("open", "check", "decide", "act", "verify", "undo", "ask", "note", "stop")
_LIMITS: Final = (
    "at_most",
    "at_least",
    "above",
    "below",
    "between",
    "equals",
    "one_of",
    "empty",
    "seconds",
    "minutes",
    "hours",
)


def topic_names() -> list[str]:
    """Return the names of all topics in the order of the index; no page is made for it."""
    return ["commands", "exit-codes", *_TOPICS]


def topics(
    commands: Iterable[Entry], exit_codes: Mapping[str, int], *, names: Collection[str] = ()
) -> list[Topic]:
    """Return the topics of these ``names``, or all, in the order of the index.

    The command says its own part itself. A page that is not asked for is not made: some of them
    load every pack.
    """
    make: dict[str, Callable[[], Topic]] = {
        "commands": lambda: _commands(commands),
        "exit-codes": lambda: _exit_codes(exit_codes),
        **_TOPICS,
    }
    return [make[name]() for name in topic_names() if not names or name in names]


def _commands(entries: Iterable[Entry]) -> Topic:
    return Topic(
        name="commands",
        title="Commands",
        about="`runbook COMMAND --help` says the same with every option.",
        entries=list(entries),
    )


def _exit_codes(codes: Mapping[str, int]) -> Topic:
    return Topic(
        name="exit-codes",
        title="Exit codes",
        about="Those of monitoring plugins, so that a run can itself be a check.",
        entries=[
            Entry(name=str(code), about=word)
            for word, code in sorted(codes.items(), key=lambda item: item[1])
        ],
    )


def _verbs() -> Topic:
    return Topic(
        name="verbs",
        title="Verbs of a cell",
        about="A cell is one verb with literals: no `if`, no loop, no arithmetic.",
        entries=[_called(f"incident.{name}", getattr(Incident, name)) for name in _VERBS],
    )


def _limits() -> Topic:
    return Topic(
        name="limits",
        title="Limits and durations",
        about="What a check expects: the limit of a good answer, with its unit.",
        entries=[_called(name, getattr(runbook_nb, name)) for name in _LIMITS],
    )


def _verdicts() -> Topic:
    return Topic(
        name="verdicts",
        title="Verdicts",
        about="Worst last; an unknown is worse than a warning, since nobody has looked.",
        entries=[Entry(name=str(each), about=_MEANT[str(each)]) for each in VERDICTS_BY_RANK],
    )


def _calls() -> Topic:
    entries = [
        Entry(name=offered.call, form=f"{offered.line}\n# {offered.says}", about=offered.about)
        for offered in CallRegistry().offered()
    ]
    return Topic(
        name="calls",
        title="Probes and actions",
        about="Of the packs in use here. `runbook calls WORD` searches them.",
        entries=entries,
    )


def _front_matter() -> Topic:
    return Topic(
        name="front-matter",
        title="Front matter",
        about=f"{documented(FrontMatter)} Schema: `front-matter.json`.",
        entries=list(_fields_of(FrontMatter)),
    )


def _drills() -> Topic:
    return Topic(
        name="drills",
        title="Drills",
        about=f"{documented(DrillFile)} Schema: `drill.json`.",
        entries=list(_fields_of(DrillFile)),
    )


def _settings() -> Topic:
    known = [
        Entry(name=name, about="Opens a system. By reference only: `env:NAME` or `file:/path`.")
        for name in sorted(environment.SECRET_SETTINGS)
    ]
    return Topic(
        name="settings",
        title="Environments and their settings",
        about=documented(environment),
        entries=[*known, *(Entry(name=name, about=text) for name, text in _SETTINGS.items())],
    )


def _service() -> Topic:
    return Topic(
        name="service",
        title="The service's settings",
        about="The tables `[store]` and `[serve]` of the project's file, for `runbook serve`.",
        entries=[Entry(name=name, about=text) for name, text in _SERVICE.items()],
    )


def _variables() -> Topic:
    return Topic(
        name="variables",
        title="Environment variables",
        about="Beside those that the settings refer to.",
        entries=[Entry(name=name, about=text) for name, text in VARIABLES.items()],
    )


def _organisation() -> Topic:
    return Topic(
        name="organisation",
        title="organisation.toml",
        about=documented(policy),
        entries=[
            _dataclass(policy.Policy, name="The whole"),
            _dataclass(policy.SeverityPolicy, name="[[severity]]"),
            _dataclass(policy.PlannedRunbook, name="[[group.runbook]]"),
        ],
    )


def _packs() -> Topic:
    methods = inspect.getmembers(Systems, inspect.isfunction)
    return Topic(
        name="packs",
        title="Packs",
        about="What a platform brings to the engine, and what its calls and its lab can use.",
        entries=[
            _dataclass(Pack, name="Pack"),
            *(
                _called(f"systems.{name}", method)
                for name, method in methods
                if not name.startswith("_")
            ),
            *(
                _called(f"lab.{name}", method)
                for name, method in inspect.getmembers(Lab, inspect.isfunction)
                if not name.startswith("_")
            ),
        ],
    )


def _rules() -> Topic:
    return Topic(
        name="rules",
        title="Rules of lint",
        about="`runbook lint` holds every runbook to them.",
        entries=[
            Entry(name=rule.name, about=f"{rule.says}\n\nWhy: {rule.reason}\n\nFix: {rule.fix}")
            for rule in RULES
        ],
    )


def _events() -> Topic:
    entries = [
        Entry(name=kind.kind, form="\n".join(_lines_of(kind)), about=documented(kind))
        for kind in EVENTS
    ]
    return Topic(
        name="events",
        title="Events of a timeline",
        about=(
            "One line of `timeline.jsonl` each, with its number `seq`, the hash of the line before "
            "in `prev`, and its own `hash`. Schema: `event.json`."
        ),
        entries=entries,
    )


def _record() -> Topic:
    told = schema("record")["$defs"]
    entries = [
        Entry(name=name, form="\n".join(each["properties"]), about=each.get("description", ""))
        for name, each in told.items()
        if "properties" in each and name not in _IN_EVENTS
    ]
    return Topic(
        name="record",
        title="record.json",
        about="The facts of an incident, beside its page. Schema: `record.json`.",
        entries=entries,
    )


def _schemas() -> Topic:
    return Topic(
        name="schemas",
        title="JSON Schemas",
        about="Shipped with the program; `runbook docs` writes them beside its pages.",
        entries=[
            Entry(name=f"{name}.json", about=f"{title}, version {version}.")
            for name, (version, title, _) in SCHEMAS.items()
        ],
    )


_TOPICS: Final[dict[str, Callable[[], Topic]]] = {
    "verbs": _verbs,
    "limits": _limits,
    "verdicts": _verdicts,
    "calls": _calls,
    "front-matter": _front_matter,
    "drills": _drills,
    "settings": _settings,
    "service": _service,
    "variables": _variables,
    "organisation": _organisation,
    "packs": _packs,
    "rules": _rules,
    "events": _events,
    "record": _record,
    "schemas": _schemas,
}
# What a record holds as it stood on the timeline is told under events.
_IN_EVENTS: Final = frozenset(kind.__name__ for kind in EVENTS)
_MEANT: Final = {
    "pass": "The answer is within the limit.",
    "warn": "Between what is expected and what fails.",
    "unknown": "There is no answer, or too little to judge; the reason is said.",
    "fail": "The answer is beyond the limit.",
}
_SETTINGS: Final = {
    "kind": "`lab`, `staging` or `production`; production where it is not said.",
    "approve": "Whose yes counts: `signed` by a person's key, or `named`, where a name is enough.",
    "concurrent_probes": "How many probes one run reads side by side; 4 by default.",
    "url": "Where a service is.",
    "host": "The machine that a system's commands reach.",
    "context": "The context that `kubectl` and `oc` use.",
    "variables": "Names of variables that a system's commands may see.",
}
_SERVICE: Final = {
    "store.dsn": (
        "A PostgreSQL of the team's, by reference, never a platform's. Without one, "
        "`runbook serve` runs its own."
    ),
    "store.timelines": (
        "`true` keeps the timelines in the store, for several machines; false, in each folder."
    ),
    "serve.environments.default": "The environment of an alert that names none.",
    "serve.environments.label": "The label that names an alert's environment: `environment`.",
    "store.files": (
        "A folder that all machines reach, or a bucket (`s3://bucket/incidents`), for executed "
        "copies and records; nothing there is written twice."
    ),
    "serve.at_most": "Runs at once in one environment; 4 by default.",
    "serve.again_after_s": "Seconds until an alert that goes on firing orders again; 900.",
    "serve.attempts": "How often a run that dies is begun until it is given up; 3 by default.",
    "serve.cold": (
        "`true`: no process waits ready for an order; some seconds later, and 120 MB less for each."
    ),
    "serve.hand_over": "A command that works an order elsewhere; the id is its last word.",
    "serve.page": "Where people reach the pages, https://HOST; passkeys are made for the host.",
    "serve.schedule.validate": (
        "When runbooks are validated whose review is due, as cron has it, in UTC: `0 3 * * *`. "
        "Two at most each time, by one machine of all, which needs the lab."
    ),
    "serve.tell.slack.token": "A bot's, by reference, with chat:write and channels:history.",
    "serve.tell.slack.channel": "The id of the channel where what was found is told: C0123ABCDEF.",
    "serve.tell.slack.url": "Of the API, where it is another one: https://slack.com/api.",
    "serve.tell.pagerduty.token": "Of the REST API, by reference; notes go to its own incidents.",
    "serve.tell.pagerduty.from": "The address of the user in whose name notes are added.",
    "serve.tell.pagerduty.url": "Of the API, where it is another one: https://api.eu.pagerduty.com.",
    "serve.sources.NAME.secret": "What a sender and we know, by reference. Without it, refused.",
}


def _called(name: str, function: Callable[..., Any]) -> Entry:
    signature = inspect.signature(function)
    taken = [each for each in signature.parameters.values() if each.name != "self"]
    bare = signature.replace(parameters=taken, return_annotation=inspect.Signature.empty)
    return Entry(name=name, form=f"{name}{bare}", about=documented(function))


def _fields_of(model: Any) -> Iterator[Entry]:
    """Yield the fields of a model, and below each those of the models in it."""
    for name, each in model.model_json_schema()["properties"].items():
        required = model.model_fields[name].is_required()
        kind = each.get("type") or "one of several kinds"
        yield Entry(
            name=name,
            form=f"{kind}, {'required' if required else 'may be left out'}",
            about=each.get("description", ""),
        )
    for definition in model.model_json_schema().get("$defs", {}).values():
        for name, each in definition["properties"].items():
            text = each.get("description", "")
            yield Entry(name=f"{definition['title']}.{name}", about=text)


def _dataclass(kind: type, *, name: str) -> Entry:
    """Return a dataclass as one entry; what its fields mean stands in its docstring."""
    return Entry(name=name, form="\n".join(_lines_of(kind)), about=documented(kind))


def _lines_of(kind: type) -> Iterator[str]:
    for each in dataclasses.fields(kind):
        yield f"{each.name}: {_kind(each.type)}"


def _kind(annotation: object) -> str:
    return getattr(annotation, "__name__", None) or str(annotation).replace("typing.", "")
