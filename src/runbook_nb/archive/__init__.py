"""The page of a record."""

from runbook_nb.archive.archive import write_record

__all__ = ["write_record"]
