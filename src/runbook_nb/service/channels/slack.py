"""Slack: a message of a bot in one channel.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage and conversations.history there
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from runbook_nb.redaction.secrets import Reference
from runbook_nb.service.channels.channel import NotToldError, asked

API: Final = "https://slack.com/api"
_EVENT: Final = "runbook_message"
_LOOK_AT: Final = 999  # posts, the most that one answer has
# Slack reads these as the beginning of a mention or a link.
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, kw_only=True)
class Slack:
    """A workspace, by the ``token`` of a bot with chat:write and channels:history."""

    token: Reference
    url: str = API

    def tell(self, place: str, text: str, mark: str) -> None:
        """Post a text with its mark as metadata."""
        self._call(
            "POST",
            "chat.postMessage",
            json={
                "channel": place,
                "text": text.translate(_ESCAPES),
                "unfurl_links": False,
                "metadata": {"event_type": _EVENT, "event_payload": {"mark": mark}},
            },
        )

    def has(self, place: str, mark: str, *, since: datetime) -> bool:
        """Look for the mark in what was posted to the channel since then."""
        # What only reads takes no JSON, and texts for all values.
        query = {
            "channel": place,
            "oldest": f"{since.timestamp():.6f}",
            "limit": str(_LOOK_AT),
            "include_all_metadata": "true",
        }
        found = self._call("GET", "conversations.history", params=query)
        if any(_mark_of(post) == mark for post in found.get("messages", ())):
            return True
        if found.get("has_more"):
            message = f"More than {_LOOK_AT} posts came to {place} since, and not all were seen."
            raise NotToldError(message)
        return False

    def _call(self, method: str, name: str, **request: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token.read().get_secret_value()}"}
        found = asked(method, f"{self.url}/{name}", headers=headers, **request)
        if not found.get("ok"):
            message = f"Slack refused {name}: {found.get('error', 'it does not say why')}."
            raise NotToldError(message)
        return found


def _mark_of(post: Mapping[str, Any]) -> object:
    metadata = post.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("mark")
