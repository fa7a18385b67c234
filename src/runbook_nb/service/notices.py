"""Notices: what people are told of an order, kept with the order until each channel has it.

A notice is claimed for a while before it is sent. Whoever claims it anew looks first whether it
was told: its sender may have died after the channel had taken it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import SettingMissingError
from runbook_nb.redaction import Redactor
from runbook_nb.service.channels import Channel, NotToldError

if TYPE_CHECKING:
    import psycopg

_PLACE: Final = """
insert into runbook.notice (id, order_id, channel, place, body)
values (%(id)s, %(order)s, %(channel)s, %(place)s, %(body)s)
on conflict (order_id, channel, place) do nothing
"""
# Twice the time that a channel may take, and longer after each failure.
_CLAIM: Final = """
update runbook.notice
set tries = tries + 1,
    next_at = clock_timestamp() + make_interval(secs => least(3600, 60 * power(2, tries)))
where id = (
    select id from runbook.notice
    where told_at is null and left_at is null and next_at <= clock_timestamp()
    order by next_at limit 1 for update skip locked)
returning id, order_id, channel, place, body, tries, made_at
"""
_TOLD: Final = "update runbook.notice set told_at = clock_timestamp(), problem = '' where id = %s"
_FAILED: Final = """
update runbook.notice
set problem = %(problem)s,
    next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %(after_s)s)),
    left_at = case when made_at < clock_timestamp() - interval '1 day' then clock_timestamp() end
where id = %(id)s
"""
_WORDS_LIMIT: Final = 300  # characters of why a channel did not take one


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is told: a title, lines below it, and where to go on: an address or a command."""

    title: str
    lines: tuple[str, ...] = ()
    link: str = ""

    def text(self, mark: str) -> str:
        """Return it as plain text; ``mark`` tells it from all others."""
        return "\n".join(filter(None, (self.title, *self.lines, self.link, f"({mark})")))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one notice."""

    notice: str
    order: str
    channel: str
    problem: str = ""


class Notices:
    """The notices in one database; a connection is one thread's."""

    def __init__(
        self,
        connection: "psycopg.Connection[dict[str, Any]]",
        channels: Mapping[str, Channel],
    ) -> None:
        self._connection, self._channels = connection, channels

    def put(self, order: str, notice: Notice, places: Sequence[tuple[str, str]]) -> None:
        """Keep a notice for each channel and place; one that is kept already stays as it is."""
        from psycopg.types.json import Jsonb

        for channel, place in places:
            values = {
                "id": f"N-{secrets.token_hex(6)}",
                "order": order,
                "channel": channel,
                "place": place,
                "body": Jsonb(asdict(notice)),
            }
            self._connection.execute(_PLACE, values)

    def tell_next(self) -> Told | None:
        """Tell the notice that has waited longest; None where none waits."""
        held = self._connection.execute(_CLAIM).fetchone()
        if held is None:
            return None
        known = {"notice": held["id"], "order": held["order_id"], "channel": held["channel"]}
        body = held["body"]
        notice = Notice(title=body["title"], lines=tuple(body["lines"]), link=body["link"])
        try:
            self._tell(held, notice)
        except NotToldError as error:
            problem = Redactor().mask(str(error))[:_WORDS_LIMIT]
            values = {"id": held["id"], "problem": problem, "after_s": error.again_after_s}
            self._connection.execute(_FAILED, values)
            return Told(**known, problem=problem)
        self._connection.execute(_TOLD, [held["id"]])
        return Told(**known)

    def _tell(self, held: Mapping[str, Any], notice: Notice) -> None:
        channel = self._channels.get(held["channel"])
        if channel is None:
            text = f"The project's file has no channel {held['channel']!r} any more."
            raise NotToldError(text)
        mark, place = f"{held['order_id']} {held['id']}", held["place"]
        try:
            if held["tries"] > 1 and channel.has(place, mark, since=held["made_at"]):
                return
            channel.tell(place, notice.text(mark), mark)
        except SettingMissingError as error:
            raise NotToldError(str(error)) from error
