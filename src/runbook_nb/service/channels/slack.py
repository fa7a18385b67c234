"""Slack: a message of a bot in one channel.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage and conversations.history there
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.probes.secrets import Reference
from runbook_nb.service.channels.channel import NotToldError, asked

API: Final = "https://slack.com/api"
_EVENT: Final = "runbook_message"
_LOOK_AT: Final = 200  # messages, the newest
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
            "chat.postMessage",
            {
                "channel": place,
                "text": text.translate(_ESCAPES),
                "unfurl_links": False,
                "metadata": {"event_type": _EVENT, "event_payload": {"mark": mark}},
            },
        )

    def has(self, place: str, mark: str) -> bool:
        """Look for the mark in the newest messages of the channel."""
        query = {"channel": place, "limit": _LOOK_AT, "include_all_metadata": True}
        found = self._call("conversations.history", query)
        return any(
            (message.get("metadata") or {}).get("event_payload", {}).get("mark") == mark
            for message in found.get("messages", ())
        )

    def _call(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token.read().get_secret_value()}"}
        found = asked("POST", f"{self.url}/{name}", headers=headers, json=body)
        if not found.get("ok"):
            message = f"Slack refused {name}: {found.get('error', 'it does not say why')}."
            raise NotToldError(message)
        return found
