"""What the clients of databases do: what they are given to ask, judged in its own language."""

import re
import shlex
from typing import Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown, whole
from runbook_nb.authoring.commands.programs import Arguments
from runbook_nb.authoring.commands.shell import Call
from runbook_nb.authoring.commands.sql import judge_sql
from runbook_nb.authoring.commands.texts import judge_redis

SESSION: Final = unknown("what is typed in its session decides")
_SQLITE_SHOWS: Final = re.compile(r"\s*\.(?:tables|schema|indexes|databases|dbinfo)\b[^;|\n]*")


def judge_psql(call: Call, given: Arguments) -> Judgement:
    """Return what a call of psql does whose options are known."""
    if given.has("-f", "--file"):
        return unknown("what stands in its file is not known")
    listed = [READS] if given.has("-l", "--list") else []
    asked = given.values("-c", "--command")
    return _asked(call, [*listed, *(judge_sql(text, "postgres") for text in asked)], "postgres")


def judge_mysql(call: Call, given: Arguments) -> Judgement:
    """Return what a call of mysql does whose options are known."""
    asked = given.values("-e", "--execute")
    return _asked(call, [judge_sql(text, "mysql") for text in asked], "mysql")


def judge_sqlite(call: Call, given: Arguments) -> Judgement:
    """Return what a call of sqlite3 does whose options are known."""
    asked = [
        READS if _SQLITE_SHOWS.fullmatch(text) else judge_sql(text, "sqlite")
        for text in given.operands[1:]
    ]
    return _asked(call, asked, "sqlite")


def judge_redis_cli(call: Call, given: Arguments) -> Judgement:
    """Return what a call of redis-cli does whose options are known."""
    if given.operands:
        return judge_redis(given.operands)
    if call.given:
        return whole(judge_redis(shlex.split(line)) for line in call.given.split("\n") if line)
    if given.has("--bigkeys", "--latency", "--stat", "--memkeys", "--scan", "--latency-history"):
        return READS
    return _without_words(call)


def _asked(call: Call, asked: list[Judgement], dialect: str) -> Judgement:
    if call.given:
        asked = [*asked, judge_sql(call.given, dialect)]
    return whole(asked) if asked else _without_words(call)


def _without_words(call: Call) -> Judgement:
    if call.piped:
        return changes(f"{call.words[0]} runs what is piped into it")
    return SESSION
