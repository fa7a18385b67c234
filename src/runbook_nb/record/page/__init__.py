"""The page of a record."""

from runbook_nb.record.page.files import write_record

__all__ = ["write_record"]
