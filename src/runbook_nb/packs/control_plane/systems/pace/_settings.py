"""The variables that set the agent's pace on its machines."""

from typing import Final

PAUSE: Final = "COMPOSIO_PAUSE_S"
ATTEMPTS: Final = "COMPOSIO_ATTEMPTS"
NAMES: Final = (PAUSE, ATTEMPTS)
