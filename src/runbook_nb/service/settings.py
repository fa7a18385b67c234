"""What a project says of its service: the table ``[serve]`` of its file, and its store."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from runbook_nb.errors import near
from runbook_nb.project import Project, demand_project
from runbook_nb.redaction.secrets import Reference, parse
from runbook_nb.service.channels import Channel, PagerDuty, Slack, pagerduty, slack
from runbook_nb.service.sources import SOURCES
from runbook_nb.text.toml_table import TomlTable
from runbook_nb.timeline.store import settings as store_settings
from runbook_nb.timeline.store.settings import StoreSettings

_SOURCE: Final = ("secret",)
_SERVE: Final = (
    *(
        "environments",
        "at_most",
        "again_after_s",
        "attempts",
        "cold",
        "hand_over",
        "sources",
        "page",
        "schedule",
        "tell",
    ),
)
_TELL: Final = {"slack": ("token", "channel", "url"), "pagerduty": ("token", "from", "url")}
_TABLES: Final = ("environments", "schedule", "sources", "tell")
_SCHEDULE: Final = ("validate",)
_ENVIRONMENTS: Final = ("default", "label")
# Every key that can be said, by its place.
KEYS: Final = frozenset(
    {
        *(f"store.{key}" for key in store_settings.KEYS),
        *(f"serve.{key}" for key in _SERVE if key not in _TABLES),
        *(f"serve.tell.{channel}.{key}" for channel, keys in _TELL.items() for key in keys),
        *(f"serve.environments.{key}" for key in _ENVIRONMENTS),
        *(f"serve.schedule.{key}" for key in _SCHEDULE),
        *(f"serve.sources.NAME.{key}" for key in _SOURCE),
    }
)
_ROOM: Final = re.compile(r"[CG][A-Z0-9]{6,20}")
_DAY_S: Final = 86_400
_HERE: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """The service's settings.

    An alert is of the environment that its label ``label`` names, else of ``environment``.
    ``at_most`` runs go on at once in one environment; an alert that goes on firing orders
    another run only ``again_after_s`` seconds after the last one; a run that dies is begun
    ``attempts`` times. No process waits ready where all are begun ``cold``. ``hand_over`` is a
    command that works an order elsewhere, and gets its id as its last word. ``sources`` refer
    to the secret of each sender. ``page`` is where people reach the service's pages; passkeys
    are made for its host. ``channels`` are where people are told of what was found, and
    ``room`` is that of Slack. ``validate`` says when runbooks are validated whose review is
    due, as cron does, in UTC.
    """

    store: StoreSettings
    environment: str = ""
    label: str = "environment"
    at_most: int = 4
    again_after_s: float = 900
    attempts: int = 3
    cold: bool = False
    hand_over: tuple[str, ...] = ()
    page: str = ""
    channels: Mapping[str, Channel] = field(default_factory=dict)
    room: str = ""
    validate: str = ""
    sources: Mapping[str, Reference] = field(default_factory=dict)

    @classmethod
    def read(cls, project: Project | None = None) -> "ServiceSettings":
        """Read the settings of a project, the one here by default.

        Raises ProjectError where there is none, and ParameterError with file and key for a value
        that is wrong.
        """
        here = project or demand_project()
        store = StoreSettings.read(here)
        serve = TomlTable(file=here.file, place="serve", values=here.serve)
        serve.only(_SERVE)
        where = _table(serve, "environments")
        where.only(_ENVIRONMENTS)
        return cls(
            store=store,
            environment=where.text("default", ""),
            label=where.text("label", cls.label),
            at_most=serve.count("at_most", most=1_000) or cls.at_most,
            again_after_s=serve.number("again_after_s", most=_DAY_S) or cls.again_after_s,
            attempts=serve.count("attempts", most=20) or cls.attempts,
            cold=serve.flag("cold"),
            hand_over=serve.texts("hand_over"),
            page=_page(serve),
            channels=dict(_channels(_table(serve, "tell"))),
            room=_room(_table(serve, "tell")),
            validate=_schedule(_table(serve, "schedule")),
            sources=dict(_sources(serve)),
        )

    def secret_of(self, source: str) -> str | None:
        """Return the secret that a sender and we know; None where it may not send.

        Raises SettingMissingError where it is named and cannot be read.
        """
        reference = self.sources.get(source)
        return reference.read().get_secret_value() if reference else None


def _table(table: TomlTable, key: str) -> TomlTable:
    values: Any = table.values.get(key, {})
    if not isinstance(values, Mapping):
        table.refuse(key, f"it is {values!r}; write a table, [{table.place}.{key}]")
    return TomlTable(file=table.file, place=f"{table.place}.{key}", values=values)


def _page(serve: TomlTable) -> str:
    page = serve.text("page", "")
    place = urlsplit(page)
    if page and (place.scheme != "https" or not place.hostname or place.path.strip("/")):
        serve.refuse("page", f"it is {page!r}; write one such as https://runbooks.example.com")
    return page


def _channels(tell: TomlTable) -> Iterator[tuple[str, Channel]]:
    tell.only(tuple(_TELL))
    for name in tell.values:
        table = _table(tell, name)
        table.only(_TELL[name])
        token = parse(table.text("token"), of=f"'token' of 'serve.tell.{name}'")
        url = _api(table)
        if name == "slack":
            yield name, Slack(token=token, url=url or slack.API)
        else:
            yield name, PagerDuty(token=token, sender=table.text("from"), url=url or pagerduty.API)


def _schedule(table: TomlTable) -> str:
    from croniter import croniter  # type: ignore[import-untyped]

    table.only(_SCHEDULE)
    cron = table.text("validate", "")
    if cron and not croniter.is_valid(cron):
        table.refuse("validate", f"it is {cron!r}; write one such as '0 3 * * *', in UTC")
    return cron


def _api(table: TomlTable) -> str:
    """Return the address of an API; a token is sent there, so others must not listen."""
    url = table.text("url", "").rstrip("/")
    place = urlsplit(url)
    schemes = ("https", "http") if place.hostname in ("localhost", *_HERE) else ("https",)
    if url and not (place.hostname and place.scheme in schemes):
        table.refuse("url", f"it is {url!r}; write one such as https://api.example.com")
    return url


def _room(tell: TomlTable) -> str:
    """Return the id of Slack's channel: a notice is looked for by it, and never by a name."""
    if "slack" not in tell.values:
        return ""
    table = _table(tell, "slack")
    room = table.text("channel")
    if not _ROOM.fullmatch(room):
        table.refuse("channel", f"it is {room!r}; write the channel's id, such as C0123ABCDEF")
    return room


def _sources(serve: TomlTable) -> "list[tuple[str, Reference]]":
    named = _table(serve, "sources")
    found = []
    for source in named.values:
        if source not in SOURCES:
            named.refuse(source, f"nobody sends by that name. {near(source, SOURCES)}")
        table = _table(named, source)
        table.only(_SOURCE)
        place = f"'secret' of 'serve.sources.{source}'"
        found.append((source, parse(table.text("secret"), of=place)))
    return found
