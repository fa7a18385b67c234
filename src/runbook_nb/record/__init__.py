"""A timeline made readable: the facts of an incident."""

from runbook_nb.record.record import Record, read_events

__all__ = ["Record", "read_events"]
