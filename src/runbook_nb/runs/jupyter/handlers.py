"""The addresses that the panels ask: list, board, open, and the style of all cards."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Final

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from runbook_nb.errors import ParameterError, RunbookError
from runbook_nb.incident.cards import style
from runbook_nb.incident.cards.sidebar import panel_style
from runbook_nb.incident.context import actor
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.executable import opens_only
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.by_hand.choice import by_incident
from runbook_nb.runs.by_hand.working_copies import prepare
from runbook_nb.runs.jupyter.controls import does
from runbook_nb.runs.jupyter.sidebar import board, board_at, question_at, shelf

# Timelines are kept between requests and read on; two threads must not read one at once.
_READING: Final = Lock()

Handler = tuple[str, type[APIHandler]]


def handlers() -> list[Handler]:
    """Return the addresses, below that of the server."""
    return [
        ("/runbook/shelf", ShelfHandler),
        ("/runbook/board", BoardHandler),
        ("/runbook/open", OpenHandler),
        ("/runbook/opening", OpeningHandler),
        ("/runbook/do", DoHandler),
        ("/runbook/free", FreeHandler),
        ("/runbook/cards.css", StyleHandler),
    ]


class _Handler(APIHandler):
    """An address that answers in JSON; only who has the token gets one."""

    @property
    def incidents(self) -> Path:
        """The folder of all incidents, which is the server's root."""
        return Path(self.settings["server_root_dir"]).expanduser()

    async def answer(self, work: Callable[..., dict[str, str]], *given: Any) -> None:
        """Answer with what some work returns; what is wrong with the request is told in a line."""
        try:
            told = await asyncio.to_thread(_alone, work, *given)
        except RunbookError as error:
            self.set_status(409)
            told = {"message": str(error)}
        self.finish(json.dumps(told))


def _alone(work: Callable[..., dict[str, str]], *given: Any) -> dict[str, str]:
    with _READING:
        return work(*given)


class ShelfHandler(_Handler):
    """The list of runbooks and open incidents."""

    @authenticated
    async def get(self) -> None:
        """Return the list as HTML."""
        await self.answer(lambda: {"html": shelf(self.incidents)})


class BoardHandler(_Handler):
    """The board of the incident that a working copy belongs to."""

    @authenticated
    async def get(self) -> None:
        """Return the board as HTML."""
        await self.answer(board, self.incidents, self.get_query_argument("path", ""))


class OpenHandler(_Handler):
    """A working copy, made or found."""

    @authenticated
    async def post(self) -> None:
        """Return the path of a working copy for a runbook, in a new incident or a known one."""
        await self.answer(self._open, self.get_json_body() or {})

    def _open(self, asked: dict[str, Any]) -> dict[str, str]:
        incident, name = asked.get("incident"), asked.get("runbook")
        texts = [text for text in (incident, name, asked.get("environment")) if text is not None]
        if not texts or not all(isinstance(text, str) for text in texts):
            message = "Say which runbook or incident to open, as text."
            raise ParameterError(message)
        found = Runbook.find(name) if name else by_incident(self.incidents, str(incident)).runbook
        known = {parameter.name for parameter in found.parameters} & {"environment"}
        opening = prepare(
            found,
            incidents=self.incidents,
            incident=incident,
            parameters={key: asked[key] for key in known if asked.get(key)},
            by=actor(),
        )
        path = opening.copy.path.relative_to(self.incidents)
        return {"path": path.as_posix(), "incident": opening.incident}


class OpeningHandler(_Handler):
    """Whether the cells that open an incident may run before anybody has looked at them."""

    @authenticated
    async def post(self) -> None:
        """Return ``may`` as "yes" or "no"; the cells come as they stand in the tab."""
        await self.answer(_may_run_unseen, self.get_json_body() or {})


def _may_run_unseen(asked: dict[str, Any]) -> dict[str, str]:
    try:
        cells = [
            Cell.of({"cell_type": "code", "source": source, "metadata": {"tags": tags}})
            for source, tags in asked["cells"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        message = "Say which cells, each by its text and its tags."
        raise ParameterError(message) from error
    return {"may": "yes" if opens_only(cells) else "no"}


class DoHandler(_Handler):
    """What a responder writes or ends from the board."""

    @authenticated
    async def post(self) -> None:
        """Do what a form of the board asks for; ``said`` tells what was done."""
        await self.answer(self._do, self.get_json_body() or {})

    def _do(self, asked: dict[str, Any]) -> dict[str, str]:
        incident = board_at(self.incidents, str(asked.get("path", ""))).incident
        return {"said": does(self.incidents, incident, asked, by=actor())}


class FreeHandler(_Handler):
    """A kernel whose question nobody can answer any more, because its tab is gone."""

    @authenticated
    async def post(self) -> None:
        """Take a question back where no tab but the one that asks this is on its kernel.

        ``said`` tells so; ``waits`` is "yes" where another tab may still answer.
        """
        path = str((self.get_json_body() or {}).get("path", ""))
        self.finish(json.dumps(await self._free(path)))

    async def _free(self, path: str) -> dict[str, str]:
        """Interrupt the kernel of a copy whose asking tab is gone, and say so."""
        question = await asyncio.to_thread(question_at, self.incidents, path)
        kernel = await self._kernel_of(path) if question else None
        if question is None or kernel is None:
            return {"waits": "", "said": ""}
        if kernel["connections"] > 1:
            return {"waits": "yes", "said": ""}
        manager = self.kernel_manager.get_kernel(kernel["id"])
        await ensure_async(manager.interrupt_kernel())
        said = (
            f"The tab in which {question.by} was asked is gone, so its question was taken back: "
            f"{question.text} Nothing was answered. Run the step again."
        )
        return {"waits": "", "said": said}

    async def _kernel_of(self, path: str) -> dict[str, Any] | None:
        sessions = await self.session_manager.list_sessions()
        found = (each["kernel"] for each in sessions if each["path"] == path)
        return next(found, None)


class StyleHandler(_Handler):
    """The style sheet of cards, board and list."""

    @authenticated
    async def get(self) -> None:
        """Return the style sheet."""
        self.finish(style() + panel_style(), set_content_type="text/css; charset=utf-8")
