"""A timeline made readable: the facts of an incident."""

from runbook_nb.record.facts.record import Record, made_by, plain_facts, read_events

__all__ = ["Record", "made_by", "plain_facts", "read_events"]
