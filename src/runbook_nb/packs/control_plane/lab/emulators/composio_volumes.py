"""How much customers' accounts hold, and how long their providers take for a page of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from runbook_nb.packs.control_plane.lab.emulators.composio_errors import successful


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What one toolkit holds, for one user or for all; a page takes ``page_s`` seconds."""

    toolkit: str = ""
    user_id: str = ""
    rows: int = 400
    page_s: float = 0.15

    def meets(self, toolkit: str, user_id: str) -> bool:
        """Tell whether it is this account's."""
        return self.toolkit in ("", toolkit) and self.user_id in ("", user_id)


class Volumes:
    """The volumes of all accounts; the newest that meets an account counts."""

    def __init__(self) -> None:
        self._volumes: list[Volume] = [Volume()]

    def change(self, wanted: Sequence[Mapping[str, Any]] | None) -> None:
        """Take over what accounts hold; None leaves them as they are."""
        if wanted is not None:
            self._volumes = [Volume(), *(Volume(**each) for each in wanted)]

    async def page(self, toolkit: str, user_id: str, arguments: Mapping[str, Any]) -> Response:
        """Answer with a page of rows: how many, and the number of the next one."""
        volume = next(one for one in reversed(self._volumes) if one.meets(toolkit, user_id))
        await asyncio.sleep(volume.page_s)
        size, page = int(arguments["limit"]), int(arguments.get("page", 0))
        left = volume.rows - page * size
        next_page = page + 1 if left > size else None
        return successful({"rows": max(0, min(size, left)), "next_page": next_page})
