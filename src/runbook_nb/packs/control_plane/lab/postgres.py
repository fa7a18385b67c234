"""The lab's PostgreSQL: with the platform's extensions and an archive of its log."""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from runbook_nb.packs.control_plane.lab.template import Template
from runbook_nb.timeline.store.embedded.files import read_secret
from runbook_nb.timeline.store.embedded.server import PostgresServer

_EXTENSIONS = Path(__file__).parent / "extensions"


class LabPostgres(PostgresServer):
    """A server whose rows are made anew at each start, with nothing to lose."""

    kind: ClassVar = "lab"
    begun_by: ClassVar = "`runbook lab up` starts it"
    way_out: ClassVar = "Put the lab elsewhere, as RUNBOOK_LAB=/tmp/runbook-lab."
    parts: ClassVar[tuple[str, ...]] = ("socket", "archive")
    durable: ClassVar = False

    def settings(self) -> Mapping[str, str]:
        """Return the settings of postgresql.conf that this server has."""
        archived = shlex.quote(str(self.home / "archive")).replace("%", "%%") + "/%f"
        return {
            **super().settings(),
            # A crash of the machine may lose the rows, which are rebuilt at each start. Commits
            # stay synchronous, which costs little without fsync: a killed server keeps what it
            # confirmed.
            "fsync": "off",
            "full_page_writes": "off",
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_command": f"test ! -f {archived} && cp %p {archived}",
            "shared_preload_libraries": "pg_stat_statements",
            "extension_control_path": f"$system:{self.folder / 'extensions'}",
        }

    def prepare(self) -> None:
        """Make the folders that the server writes to, and the extensions that it reads."""
        super().prepare()
        copied = self.folder / "extensions"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(_EXTENSIONS, copied, copy_function=shutil.copyfile)
        for path in (copied, *copied.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def begin_with(self, template: Template) -> None:
        """Take a template's files instead of making empty ones; LabError if they are unfit."""
        self.prepare()
        template.copy_to(self.home)

    def keep_as(self, template: Template) -> None:
        """Keep the files of the stopped server as a template."""
        template.keep(self.home, password=read_secret(self.folder, "postgres.password"))
