"""What a project says of its store: the table ``[store]`` of its file."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import SettingMissingError
from runbook_nb.project import Project, demand_project
from runbook_nb.redaction.secrets import Reference, parse
from runbook_nb.text.toml_table import TomlTable
from runbook_nb.timeline.store.embedded.keeping import address_in, embedded_folder

KEYS: Final = ("dsn", "timelines", "files")
# What obstore opens by address, and a folder: https://developmentseed.org/obstore.
_PLACES: Final = ("/", "s3://", "gs://", "az://", "abfs://", "abfss://", "file:///")
_SCHEMES: Final = ("postgresql://", "postgres://")
_HERE: Final = ("127.0.0.1", "::1")
_PORT: Final = "5432"  # where PostgreSQL listens unless it is told otherwise


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Where the store is.

    ``dsn`` refers to its address; without one the service runs a store of its own, in the folder
    ``embedded``. With ``timelines`` it holds those of all incidents, so that several machines work
    on them; without, each machine has its own in its folder. ``files`` is a folder or a bucket for
    executed copies and records. ``environments`` are the project's.
    """

    dsn: Reference | None
    embedded: Path
    timelines: bool = False
    files: str = ""
    environments: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, project: Project | None = None) -> "StoreSettings":
        """Read the settings of a project, the one here by default.

        Raises ProjectError where there is none, and ParameterError with file and key for a value
        that is wrong.
        """
        here = project or demand_project()
        store = TomlTable(file=here.file, place="store", values=here.store)
        store.only(KEYS)
        if store.flag("timelines") and "dsn" not in here.store:
            store.refuse(
                "timelines",
                "several machines write on them, and the store is this machine's own; name one "
                'that all reach: dsn = "env:STORE_DSN"',
            )
        files = store.text("files", "")
        if files and not files.startswith(_PLACES):
            shown = ", ".join(_PLACES[1:])
            store.refuse("files", f"it is {files!r}; write a folder from / on, or one of {shown}…")
        return cls(
            dsn=parse(store.text("dsn"), of="'dsn' of 'store'") if "dsn" in here.store else None,
            embedded=embedded_folder(here.root),
            timelines=store.flag("timelines"),
            files=files,
            environments=here.environments,
        )

    def address(self) -> str:
        """Return the store's address, a secret.

        Raises SettingMissingError where it cannot be read, is none, or is that of a database which
        runbooks repair: the store must go on when that one is down. Raises StoreUnavailableError
        where it is this machine's own, and does not run.
        """
        if self.dsn is None:
            return address_in(self.embedded)
        address = self.dsn.read().get_secret_value()
        own = _place(address)
        if own is None:
            message = (
                f"The setting {self.dsn.of} refers to {self.dsn}, which holds no address of a "
                "PostgreSQL. Write one such as postgresql://user:password@host:5432/store."
            )
            raise SettingMissingError(message)
        for name, systems in self.environments.items():
            for system, values in systems.items() if isinstance(systems, Mapping) else ():
                if own in _places(values):
                    message = (
                        f"The store is the database of {system!r} in the environment {name!r}. It "
                        "must go on when that one is down: give the service a database of its own."
                    )
                    raise SettingMissingError(message)
        return address

    @property
    def variables(self) -> frozenset[str]:
        """The variables that a kernel needs to write on a timeline."""
        told = self.dsn if self.timelines else None
        return frozenset({told.place} if told and told.kind == "env" else ())


def settings_of(incidents: Path) -> StoreSettings | None:
    """Return the store of the project whose incidents lie in this folder; None without one.

    A folder of drills or of somebody else is no project's.
    """
    for project in (Project.find(start=incidents), Project.find()):
        if project and project.incidents.absolute() == incidents.absolute():
            return StoreSettings.read(project) if project.store else None
    return None


def variables_of(project: Project | None) -> frozenset[str]:
    """Return the variables that a kernel of a project needs to write on a timeline."""
    if project is None or not project.store:
        return frozenset()
    return StoreSettings.read(project).variables


def secrets_of(project: Project | None) -> list[str]:
    """Return what opens the store, where a kernel of a project knows it; for masking."""
    if project is None or not project.store:
        return []
    settings = StoreSettings.read(project)
    with suppress(SettingMissingError):
        told = settings.dsn if settings.timelines else None
        return [told.read().get_secret_value()] if told else []
    return []


def _places(values: object) -> Iterator[tuple[str, str, str] | None]:
    """Return the databases that a system's settings refer to, of those that can be read here."""
    for told in values.values() if isinstance(values, Mapping) else ():
        with suppress(SettingMissingError):
            yield _place(parse(str(told), of="a database").read().get_secret_value())


def _place(address: str) -> tuple[str, str, str] | None:
    """Return host, port and name of a database; None for what is no address of a PostgreSQL."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not address.startswith(_SCHEMES):
        return None
    try:
        told = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        return None
    host = str(told.get("host") or "localhost")
    return (
        "localhost" if host in _HERE else host,
        str(told.get("port") or _PORT),
        str(told.get("dbname") or told.get("user") or ""),
    )
