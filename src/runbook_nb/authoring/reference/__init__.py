"""The reference: what may be written and what is written, taken from the code that does it."""

from runbook_nb.authoring.reference.schemas import SCHEMAS, schema
from runbook_nb.authoring.reference.site import write_site
from runbook_nb.authoring.reference.topic import Entry, Topic
from runbook_nb.authoring.reference.topics import topic_names, topics

__all__ = ["SCHEMAS", "Entry", "Topic", "schema", "topic_names", "topics", "write_site"]
