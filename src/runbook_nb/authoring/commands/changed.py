"""What a line would change if somebody copied it; a line that is no command changes nothing."""

from typing import Final

from runbook_nb.authoring.commands.effect import Effect
from runbook_nb.authoring.commands.judge import judge
from runbook_nb.authoring.commands.prompts import begins_like_a_command, without_prompt
from runbook_nb.authoring.commands.sql import is_sql

_LONGEST: Final = 2_000  # characters; a longer line is no command that anybody copies


def changed(line: str) -> str:
    """Return the words of a line that would change something if it were run; empty if none."""
    text = without_prompt(line[:_LONGEST].strip())
    if not (begins_like_a_command(text) or is_sql(text)):
        return ""
    judged = judge(text)
    return judged.why.replace("`", "") if judged.effect is Effect.CHANGES else ""
