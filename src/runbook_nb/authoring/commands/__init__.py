"""What a command would do, by parsers of its language and a table of programs; nothing is run."""

from runbook_nb.authoring.commands.effect import Effect, Judgement
from runbook_nb.authoring.commands.judge import judge

__all__ = ["Effect", "Judgement", "judge"]
