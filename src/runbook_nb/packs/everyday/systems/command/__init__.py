"""Commands of this machine that are known to read: their words, a number in them, their exit code.

Setting: ``host``, the name of the machine that the environment's commands are about. On another
machine they answer *unknown*; ``localhost`` stands for whichever machine the runbook runs on.
"""

from runbook_nb.packs.everyday.systems.command.probes import exit_code, lines, number, text

__all__ = ["exit_code", "lines", "number", "text"]
