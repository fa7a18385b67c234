"""What a text would do if it were run, by its language."""

from typing import Final

from runbook_nb.authoring.commands.calls import judge_shell
from runbook_nb.authoring.commands.effect import Effect, Judgement, unknown, whole
from runbook_nb.authoring.commands.prompts import typed_by_root
from runbook_nb.authoring.commands.queries import LANGUAGES, judge_query
from runbook_nb.authoring.commands.sql import DIALECTS, is_sql, judge_sql
from runbook_nb.authoring.commands.texts import judge_redis
from runbook_nb.authoring.commands.windows import judge_powershell, judge_prompt

QUERIES: Final = LANGUAGES
DATABASES: Final = frozenset({*DIALECTS, "sql", "cql"})
REDIS: Final = frozenset({"redis", "redis-cli"})
POWERSHELL: Final = frozenset({"powershell", "pwsh", "ps1", "posh"})
WINDOWS: Final = frozenset({"cmd", "bat", "batch", "dos", "batchfile"})
PROGRAMS: Final = frozenset(
    {"python", "python3", "py", "pycon", "ruby", "mongo", "mongosh", "perl"}
)
SHELLS_WORDS: Final = """
bash sh shell zsh fish ksh console shell-session shellsession sh-session bash-session terminal
command commandline
"""
SHELLS: Final = frozenset(SHELLS_WORDS.split())
LANGUAGES_RUN: Final = SHELLS | POWERSHELL | WINDOWS | DATABASES | QUERIES | REDIS | PROGRAMS


def judge(text: str, language: str = "") -> Judgement:  # noqa: PLR0911 - one line for each language
    """Return what a text does; without a language it is taken for a shell's, or SQL."""
    if language in QUERIES:
        return judge_query(text, language)
    if language in DATABASES:
        return judge_sql(text, DIALECTS.get(language, ""))
    if language in REDIS:
        return whole(judge_redis(line.split()) for line in text.split("\n") if line.strip())
    if language in POWERSHELL:
        return judge_powershell(text)
    if language in WINDOWS:
        return judge_prompt(text)
    if language in PROGRAMS:
        return unknown("what its program does is not known")
    return _shell(text)


def _shell(text: str) -> Judgement:
    found = whole([judge_shell(text), *_commented(text)])
    if found.effect is not Effect.UNKNOWN:
        return found
    return judge_sql(text) if is_sql(text) else found


def _commented(text: str) -> list[Judgement]:
    """Return what comments would do that begin like commands, where they change something.

    After the prompt of root a command looks like a comment.
    """
    lines = filter(None, map(typed_by_root, text.split("\n")))
    judged = [judge_shell(line.command) for line in lines]
    return [each for each in judged if each.effect is Effect.CHANGES]
