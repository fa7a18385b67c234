"""Begin a runbook: from the template, or from documents that exist already.

Nothing of a source is run, nothing of it is dropped, and what is missing is listed as gaps.
"""

from runbook_nb.authoring.importer.collection import Collection, Refused, import_all, sources_of
from runbook_nb.authoring.importer.drafts import Draft, Imported, draft, split, write_drafts
from runbook_nb.authoring.importer.source import Source, parse_source, read_source
from runbook_nb.authoring.scaffold.gaps import Gap
from runbook_nb.authoring.scaffold.skeleton import Begun, NewRunbook, begin

__all__ = [
    "Begun",
    "Collection",
    "Draft",
    "Gap",
    "Imported",
    "NewRunbook",
    "Refused",
    "Source",
    "begin",
    "draft",
    "import_all",
    "parse_source",
    "read_source",
    "sources_of",
    "split",
    "write_drafts",
]
