"""Severity and group of a runbook that is begun, as the policy names them or to be filled in."""

from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.policy import Policy


def severity_of(said: str, policy: Policy) -> str:
    """Return a severity, or what may be filled in."""
    return said or f"{FILL_IN} one of {', '.join(policy.severity_names)}"


def group_of(said: str, policy: Policy) -> dict[str, str]:
    """Return the group for the front matter, or what may be filled in; nothing without groups."""
    if not said and not policy.groups:
        return {}
    return {"group": said or f"{FILL_IN} one of {', '.join(policy.groups)}"}
