"""The everyday pack: what any team's runbooks ask on the first day, read-only by enforcement."""

from typing import Final

from runbook_nb.runbook.packs import Pack

PACK: Final = Pack(
    name="everyday",
    about="Prometheus, SQL, HTTP, kubectl and commands that are known to read.",
    systems=("runbook_nb.packs.everyday.systems",),
)
