"""The page of a record, and the proof that nobody altered it."""

from runbook_nb.archive.archive import verify_record, write_record

__all__ = ["verify_record", "write_record"]
