"""The records of running missions, as the agent's open streams see them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

# A reader that is this many records behind misses the newest ones rather than slow the agent.
_BEHIND = 100

Record = dict[str, object]


class Events:
    """Hands each record of a mission to all streams that are open on that mission."""

    def __init__(self) -> None:
        self._readers: defaultdict[UUID, set[asyncio.Queue[Record]]] = defaultdict(set)

    def publish(self, mission: UUID, record: Record) -> None:
        """Give a record to the mission's readers."""
        for reader in self._readers.get(mission, ()):
            if not reader.full():
                reader.put_nowait(record)

    @contextmanager
    def reading(self, mission: UUID) -> Iterator[asyncio.Queue[Record]]:
        """Give a queue that gets every record of the mission from now on."""
        reader: asyncio.Queue[Record] = asyncio.Queue(_BEHIND)
        self._readers[mission].add(reader)
        try:
            yield reader
        finally:
            self._readers[mission].discard(reader)
