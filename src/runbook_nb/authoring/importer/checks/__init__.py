"""Checks drafted from commands that only read; each is a guess, and waits for its author."""

from runbook_nb.authoring.importer.checks.draft import CheckDraft, Offers
from runbook_nb.authoring.importer.checks.from_command import Asked, checks_of
from runbook_nb.authoring.importer.checks.from_query import check_of_alert

__all__ = ["Asked", "CheckDraft", "Offers", "check_of_alert", "checks_of"]
