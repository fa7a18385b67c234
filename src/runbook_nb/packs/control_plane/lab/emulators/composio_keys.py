"""Composio's API keys in the lab: project keys with their age, and the organisation's key."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# A key of a healthy project: rotated this quarter.
_FIRST_AGE = timedelta(days=30)


@dataclass(kw_only=True)
class Key:
    """One project key; several are valid at once."""

    value: str
    name: str
    created_at: datetime
    id: str = field(default_factory=lambda: f"key_{secrets.token_hex(5)}")

    def as_json(self) -> dict[str, str]:
        """Return the key as its project shows it: never in full."""
        return {
            "id": self.id,
            "name": self.name,
            "key": f"{'*' * 8}{self.value[-4:]}",
            "created_at": self.created_at.isoformat(timespec="milliseconds"),
        }


class Keys:
    """The valid keys of one project."""

    def __init__(self, first: str) -> None:
        self._keys = [Key(value=first, name="agent", created_at=datetime.now(UTC) - _FIRST_AGE)]

    def accepts(self, value: str) -> bool:
        """Tell whether a key is valid."""
        return any(secrets.compare_digest(key.value.encode(), value.encode()) for key in self._keys)

    def add(self, value: str) -> Key:
        """Make a further key valid, as a person does in the project's settings."""
        if not self.accepts(value):
            created_at = datetime.now(UTC)
            self._keys.append(Key(value=value, name="agent (next)", created_at=created_at))
        return self._keys[-1]

    def revoke(self, value: str) -> None:
        """Make a key invalid at once; an unknown one changes nothing."""
        self._keys = [key for key in self._keys if key.value != value]

    def age(self, days: int) -> None:
        """Make every key so many days old."""
        for key in self._keys:
            key.created_at = datetime.now(UTC) - timedelta(days=days)

    def all(self) -> list[Key]:
        """Return the valid keys, the oldest first."""
        return sorted(self._keys, key=lambda key: key.created_at)
