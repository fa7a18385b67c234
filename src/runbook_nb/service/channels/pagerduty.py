"""PagerDuty: a note on the incident that its webhook told us of.

Source: https://developer.pagerduty.com/api-reference, Create a note on an incident
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.redaction.secrets import Reference
from runbook_nb.service.channels.channel import asked

API: Final = "https://api.pagerduty.com"


@dataclass(frozen=True, kw_only=True)
class PagerDuty:
    """An account, by a REST ``token``; ``sender`` is the address of one of its users."""

    token: Reference
    sender: str
    url: str = API

    def tell(self, place: str, text: str, mark: str) -> None:  # noqa: ARG002 - the text holds it
        """Add a note to an incident."""
        self._call("POST", place, json={"note": {"content": text}})

    def has(self, place: str, mark: str, *, since: datetime) -> bool:  # noqa: ARG002 - all are given
        """Look for the mark in the incident's notes."""
        notes = self._call("GET", place).get("notes", ())
        return any(mark in str(note.get("content", "")) for note in notes)

    def _call(self, method: str, place: str, **request: Any) -> dict[str, Any]:
        headers = {
            "authorization": f"Token token={self.token.read().get_secret_value()}",
            "from": self.sender,
            "accept": "application/vnd.pagerduty+json;version=2",
        }
        url = f"{self.url}/incidents/{quote(place, safe='')}/notes"
        return asked(method, url, headers=headers, **request)
