"""What a draft leaves to its author, marked so that nobody overlooks it."""

import re
from typing import Final

FILL_IN: Final = "Fill in:"


def blank(line: str) -> str:
    """Return what a line leaves to be filled in, without the code or the table around it."""
    said = re.split(r"\"[,)]|\s\|", line.partition(FILL_IN)[2])[0]
    return said.strip(" '\",*|")
