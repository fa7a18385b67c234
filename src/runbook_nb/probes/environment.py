"""Environments: where the systems are, and read-only or writing connections to them.

Settings come from TOML files and environment variables, later ones win: the running lab's own
file, the project's file (``runbook.toml`` or ``pyproject.toml``), the file named by
``RUNBOOK_SETTINGS``, and variables such as ``RUNBOOK_ENVIRONMENTS__STAGING__AGENT__URL``. Secrets
stand there only by reference: ``env:NAME`` or ``file:/path``.

A system is a database where it has ``reader`` and ``writer``, a service where it has ``url``::

    [environments.staging.orders]
    reader = "env:ORDERS_READER"  # a PostgreSQL connection string
    [environments.staging.queue]
    reader = "sqlite:////srv/queue.db"
    [environments.staging.kubectl]
    context = "staging"
    variables = ["AWS_PROFILE"]  # which its commands may see

Beside its systems stand its ``kind``, and in ``approve`` whose yes counts there: ``signed`` by the
key of a person, or ``named``, where a name is enough. What cannot be undone in production is never
done by a name. ``concurrent_probes`` says how many probes one run reads side by side, 4 where it is
not said.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from runbook_nb.errors import SettingMissingError, near
from runbook_nb.probes.baseline import baseline_file, read_baseline
from runbook_nb.probes.commands import Commands, bare_variables
from runbook_nb.probes.connections import SQLITE, Database, Http
from runbook_nb.probes.lab_settings import LAB, lab_settings_file
from runbook_nb.probes.own_settings import demand_no_consent
from runbook_nb.probes.writing import Journal, NoJournal, WritingDatabase
from runbook_nb.project import Project
from runbook_nb.redaction import Redactor, has_ordinary, names_secret, secrets
from runbook_nb.text.values import Json
from runbook_nb.timeline.store.settings import secrets_of

if TYPE_CHECKING:
    from pydantic import SecretStr

Kind = Literal["lab", "staging", "production"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
Proof = Literal["named", "signed"]
PROOFS: Final[tuple[str, ...]] = get_args(Proof)
# What is said of an environment itself; all else in its table is a system.
_OWN: Final = ("kind", "approve", "concurrent_probes")
_CONCURRENT_PROBES: Final = 4  # connections that a database in trouble can still spare
# Settings that open a system; a value in plain sight would end up in a commit.
SECRET_SETTINGS: Final = frozenset(
    {"reader", "writer", "owner", "token", "key", "password", "secret"}
)
# Those of them that open a system for writing.
WRITING_SETTINGS: Final = frozenset({"writer", "owner"})
PROBE_TIMEOUT_S: Final = 10
ACTION_TIMEOUT_S: Final = 60


class Environment:
    """One named environment: its kind and the settings of its systems."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.kind: Kind = _kind(name, settings.get("kind", "production"))
        self.approve: Proof = _proof(name, settings.get("approve", self._default_proof))
        self.concurrent_probes = _number_of_probes(
            name, settings.get("concurrent_probes", _CONCURRENT_PROBES)
        )
        self._systems = {
            system: dict(values) for system, values in settings.items() if system not in _OWN
        }

    @classmethod
    def load(cls, name: str) -> "Environment":
        """Return the environment of that name; raises SettingMissingError if there is none.

        The lab is always there by name. One that never started has no settings: a responder can
        open a notebook all the same, and each check says which setting it lacks.
        """
        if Redactor().text(name) != name:
            # It would be masked where it is written, and then be another environment's.
            message = "The name of the environment looks like a secret. Give it a plain name."
            raise SettingMissingError(message)
        known = {LAB: {"kind": LAB}, **load_settings()}
        if name not in known:
            message = f"No settings for the environment {name!r}. {near(name, known)}"
            raise SettingMissingError(message)
        return cls(name, known[name])

    @property
    def is_production(self) -> bool:
        """Whether a mistake here harms customers; an environment of no known kind counts too."""
        return self.kind == "production"

    @property
    def _default_proof(self) -> Proof:
        """A name is enough where nobody is harmed."""
        return "named" if self.kind == "lab" else "signed"

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """All secret values this environment refers to, for masking."""
        return tuple(self._secret_values())

    @property
    def named_variables(self) -> frozenset[str]:
        """The variables that its settings refer to by ``env:NAME``, or name for its commands."""
        settings = [text for system in self._systems.values() for text in system.values()]
        texts = (text for text in settings if isinstance(text, str))
        referred = (text.removeprefix("env:") for text in texts if text.startswith("env:"))
        commands = (self._commands_see(system) for system in self._systems)
        return frozenset(referred).union(*commands)

    def redactor(self, *, allowed: Iterable[str] = ()) -> Redactor:
        """Return what masks every secret this process knows; ``allowed`` texts stay."""
        named = (value for name, value in os.environ.items() if names_secret(name))
        known = [*self.secrets, *named, *secrets_of(Project.find())]
        return Redactor(known, allowed=allowed, words=self._words())

    def reading(self, asked: list[str], *, timeout_s: float = PROBE_TIMEOUT_S) -> "Connections":
        """Return connections that cannot write; what they are asked is added to ``asked``.

        They know nothing that opens a system for writing. ``timeout_s`` is that of the call.
        """
        reader = Environment(self.name, self._readable())
        return Connections(reader, read_only=True, asked=asked, timeout_s=timeout_s)

    def writing(
        self,
        asked: list[str],
        journal: Journal | None = None,
        *,
        timeout_s: float = ACTION_TIMEOUT_S,
    ) -> "Connections":
        """Return connections for an action; what they are asked is added to ``asked``.

        The ``journal`` is told of each change before it is sent.
        """
        return Connections(self, read_only=False, asked=asked, timeout_s=timeout_s, journal=journal)

    def setting(self, system: str, name: str) -> str:
        """Return one plain setting as text."""
        values = self._systems.get(system, {})
        if name not in values:
            raise self._missing(system, name)
        return str(values[name])

    def secret(self, system: str, name: str) -> "SecretStr":
        """Return the value a secret setting refers to; raises SettingMissingError."""
        of = f"{name!r} of {system!r} in the environment {self.name!r}"
        return secrets.resolve(self.setting(system, name), of=of)

    def dsn(self, database: str, role: str) -> str:
        """Return where a database is, for its ``reader`` or ``writer``.

        A path to an SQLite file opens nothing by itself, so it may stand in plain sight.
        """
        plain = self.setting(database, role)
        if plain.startswith(SQLITE):
            return plain
        return self.secret(database, role).get_secret_value()

    def variables(self, system: str) -> dict[str, str]:
        """Return all variables that a command of this system may see, by the short list.

        The setting ``variables`` names more; one that holds another system's secret, or one that
        writes, is refused.
        """
        wanted = self._commands_see(system)
        if shut := sorted(self._shut(system) & {*wanted}):
            message = (
                f"The setting 'variables' of {system!r} in the environment {self.name!r} names "
                f"{', '.join(shut)}, which holds a secret that its commands must not see."
            )
            raise SettingMissingError(message)
        return bare_variables(wanted)

    def has(self, system: str, name: str) -> bool:
        """Tell whether a setting is there."""
        return name in self._systems.get(system, {})

    def weak_secrets(self) -> list[str]:
        """Return a sentence for each secret that is no secret: an ordinary word, or too short.

        It is not masked by its value, which would blank that word wherever it stands.
        """
        found = []
        for system, values in self._systems.items():
            for name in sorted(SECRET_SETTINGS & values.keys()):
                try:
                    value = self.secret(system, name).get_secret_value()
                except SettingMissingError:
                    continue
                if has_ordinary(value, words=self._words()):
                    found.append(
                        f"The secret {name!r} of {system!r} in the environment {self.name!r} is an "
                        "ordinary word or very short: it cannot be masked in texts. Change it."
                    )
        return found

    def _words(self) -> frozenset[str]:
        """Return the project's own words: of this environment, its systems and their settings."""
        named = [
            self.name,
            *self._systems,
            *(name for each in self._systems.values() for name in each),
        ]
        return frozenset(map(str.casefold, named))

    def _readable(self) -> dict[str, Any]:
        """Return the settings without those that open a system for writing."""
        kept = {
            system: {name: value for name, value in values.items() if name not in WRITING_SETTINGS}
            for system, values in self._systems.items()
        }
        return {"kind": self.kind, **kept}

    def _commands_see(self, system: str) -> list[str]:
        """Return the variables that the setting ``variables`` of a system names."""
        named = self._systems.get(system, {}).get("variables", [])
        return named.replace(",", " ").split() if isinstance(named, str) else list(named)

    def _shut(self, system: str) -> set[str]:
        """Return the variables that hold secrets of other systems, or of one that writes."""
        return {
            str(values[name]).removeprefix("env:")
            for other, values in self._systems.items()
            for name in SECRET_SETTINGS & values.keys()
            if other != system or name in WRITING_SETTINGS
        }

    def _missing(self, system: str, name: str) -> SettingMissingError:
        place = f"Add it under [environments.{self.name}.{system}] in runbook.toml."
        hint = "Start the lab with `runbook lab up`." if self.name == LAB else place
        where = f"of {system!r} is missing in the environment {self.name!r}"
        return SettingMissingError(f"The setting {name!r} {where}. {hint}")

    def _secret_values(self) -> Iterator[str]:
        for system, values in self._systems.items():
            for name in SECRET_SETTINGS & values.keys():
                try:
                    value = self.secret(system, name).get_secret_value()
                except SettingMissingError:
                    continue
                yield value
                # The password of a DSN can turn up alone, in an error of the driver.
                if "://" in value and "@" in value:
                    yield value.split("://", 1)[1].rsplit("@", 1)[0].partition(":")[2]


class Connections:
    """The systems of an environment as one call reaches them."""

    def __init__(
        self,
        environment: Environment,
        *,
        read_only: bool,
        asked: list[str],
        timeout_s: float,
        journal: Journal | None = None,
    ) -> None:
        self._environment, self._read_only, self._asked = environment, read_only, asked
        self._journal, self._told = journal or NoJournal(), False
        self._timeout_s = timeout_s
        self._open: dict[tuple[str, type], Database | Http | Commands] = {}

    @property
    def attempt(self) -> str:
        """The attempt that these connections serve; empty for a reading and a rehearsal."""
        return self._journal.attempt

    @property
    def source(self) -> str:
        """Name what was reached: ``lab database, lab agent``."""
        systems = dict.fromkeys(system for system, _ in self._open)
        return ", ".join(f"{self._environment.name} {system}" for system in systems)

    def database(self, name: str = "database") -> Database:
        """Return a database, as the reading or the writing role.

        Any system with the settings ``reader`` and ``writer`` is one: ``sqlite:///path`` is an
        SQLite file, all else PostgreSQL.
        """
        found = self._open.get((name, Database))
        if not isinstance(found, Database):
            dsn = self._environment.dsn(name, "reader" if self._read_only else "writer")
            found = self._connected(name, dsn)
            self._open[name, Database] = found
        for (other, _), connection in self._open.items():
            if isinstance(connection, WritingDatabase) and other != name:
                connection.commit(last=False)
        return found

    def command(self, system: str) -> Commands:
        """Return the commands of one system, in a bare environment of variables."""
        self._before(system, writes=True)
        found = self._open.get((system, Commands))
        if not isinstance(found, Commands):
            found = Commands(
                variables=self._environment.variables(system),
                read_only=self._read_only,
                timeout_s=self._timeout_s,
                asked=self._asked,
            )
            self._open[system, Commands] = found
        return found

    def http(self, system: str) -> Http:
        """Return a client for an HTTP service; ``edge.admin`` takes the setting ``admin_url``."""
        found = self._open.get((system, Http))
        if not isinstance(found, Http):
            name, _, part = system.partition(".")
            found = Http(
                self._environment.setting(name, f"{part}_url" if part else "url"),
                headers=self._headers(name),
                read_only=self._read_only,
                timeout_s=self._timeout_s,
                asked=self._asked,
                before=lambda writes: self._before(system, writes=writes),
            )
            self._open[system, Http] = found
        return found

    def _headers(self, system: str) -> dict[str, str]:
        """Return the header that opens a system, in the partner's own form."""
        place = self._environment
        if not place.has(system, "token"):
            return {}
        header = place.setting(system, "token_header") if place.has(system, "token_header") else ""
        form = place.setting(system, "token_format") if place.has(system, "token_format") else ""
        token = place.secret(system, "token").get_secret_value()
        return {header or "Authorization": (form or "Bearer {token}").format(token=token)}

    def setting(self, system: str, name: str) -> str:
        """Return one plain setting as text."""
        return self._environment.setting(system, name)

    def baseline(self, part: str) -> Mapping[str, Json] | None:
        """Return what the project here has accepted as right of a part in this environment."""
        project = Project.find()
        if project is None:
            return None
        file = baseline_file(project, environment=self._environment.name, part=part)
        found = read_baseline(file, environment=self._environment.name, part=part)
        if found is None:
            return None
        self._asked.append(f"the baseline {file.name} of {found.at:%Y-%m-%d}, taken by {found.by}")
        return found.committed(datetime.now(UTC).date())

    def commit(self, *, last: bool) -> None:
        """Commit what an ended transaction holds back; ``last`` where the action has returned."""
        for connection in self._open.values():
            if isinstance(connection, WritingDatabase):
                connection.commit(last=last)

    def close(self) -> None:
        """Cut all connections; raises nothing."""
        for connection in [*self._open.values()]:
            with suppress(Exception):
                connection.close()

    def _connected(self, name: str, dsn: str) -> Database:
        """Return a database: SQLite for a file's path, PostgreSQL for all else."""
        if not dsn.startswith(SQLITE):
            if self._read_only:
                return Database(dsn, read_only=True, timeout_s=self._timeout_s, asked=self._asked)
            return WritingDatabase(
                dsn,
                timeout_s=self._timeout_s,
                asked=self._asked,
                name=name,
                journal=self._journal,
            )
        from runbook_nb.probes.sqlite import SqliteDatabase

        self._before(name, writes=True)
        return SqliteDatabase(
            dsn, read_only=self._read_only, timeout_s=self._timeout_s, asked=self._asked
        )

    def _before(self, system: str, *, writes: bool) -> None:
        """End what is held back, and tell once that something is sent which cannot be asked for."""
        if self._read_only:
            return
        self.commit(last=False)
        if writes and not self._told:
            self._journal.sending(system)
            self._told = True


def _kind(environment: str, told: object) -> Kind:
    """Return the kind of an environment; raises SettingMissingError for one that is none.

    `prod` would be an environment in which a mistake harms nobody.
    """
    if told in KINDS:
        return cast("Kind", told)
    message = (
        f"The kind of the environment {environment!r} is {told!r}. Write one of "
        f"{', '.join(map(repr, KINDS))}. {near(str(told), KINDS)}"
    )
    raise SettingMissingError(message)


def _proof(environment: str, told: object) -> Proof:
    """Return whose yes counts in an environment; raises SettingMissingError for an unknown word."""
    if told in PROOFS:
        return cast("Proof", told)
    message = (
        f"`approve` of the environment {environment!r} is {told!r}. Write one of "
        f"{', '.join(map(repr, PROOFS))}. {near(str(told), PROOFS)}"
    )
    raise SettingMissingError(message)


def _number_of_probes(environment: str, told: object) -> int:
    """Return how many probes are read side by side; a variable gives it as text."""
    number = int(told) if isinstance(told, str) and told.isdecimal() else told
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    message = (
        f"`concurrent_probes` of the environment {environment!r} is {told!r}. Write how many "
        f"probes are read side by side, a whole number from 1, such as {_CONCURRENT_PROBES}."
    )
    raise SettingMissingError(message)


def load_settings() -> dict[str, dict[str, Any]]:
    """Return the settings of all environments, by name; raises SettingMissingError for bad TOML."""
    # pydantic-settings takes a tenth of a second to import, so only who connects pays for it.
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
    from pydantic_settings import InitSettingsSource as Told
    from pydantic_settings import TomlConfigSettingsSource as TomlFile

    project = Project.find()
    lab, named = lab_settings_file(), os.environ.get("RUNBOOK_SETTINGS")
    of_project = {"environments": project.environments if project else {}}

    class Settings(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix="RUNBOOK_", env_nested_delimiter="__", extra="ignore"
        )
        environments: dict[str, dict[str, Any]] = {}

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            of_named = TomlFile(settings_cls, Path(named) if named else None)
            for source in (env_settings, of_named):
                demand_no_consent(source(), of_project["environments"])
            return (
                env_settings,
                of_named,
                Told(settings_cls, of_project),
                TomlFile(settings_cls, lab),
            )

    try:
        return Settings().environments
    except ValueError as error:
        files = ", ".join(str(file) for file in (lab, project and project.file, named) if file)
        message = f"The settings in {files} cannot be read: {_without_values(error)}."
        # The cause holds the values that were read.
        raise SettingMissingError(message) from None


def _without_values(error: ValueError) -> str:
    """Say what is wrong with settings, and nothing that stands in them."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).rstrip(".")
    found = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
