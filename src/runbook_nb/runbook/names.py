"""Names are not data: what is compared later is refused where it would be masked when written.

A title, an option, an environment or a person's name that looks like a secret would stand on the
timeline as a mark, and then never be found again: the action would be done anew at each run.
"""

from runbook_nb.errors import ParameterError, RunbookFormatError
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook


def demand_plain_names(runbook: Runbook, redactor: Redactor) -> None:
    """Raise RunbookFormatError where a title or an option would not be written as it is."""
    named = [("the name of the runbook", runbook.name)]
    named += [(f"the title of a step `{step.verb}`", step.title) for step in runbook.steps]
    named += [("the heading of an option", heading) for heading in runbook.options()]
    for what, name in named:
        written = redactor.text(name)
        if written != name:
            message = (
                f"{runbook.path}: {what} would be written as {written!r}, and so never be found "
                "again. Name it without what looks like a secret, an address or a hidden sign."
            )
            raise RunbookFormatError(message)


def demand_plain_person(name: str, redactor: Redactor) -> str:
    """Return the name of who acts; raises ParameterError where it would not be written as it is."""
    written = redactor.text(name, signature=True)
    if written != name:
        message = (
            f"The name of who acts would be written as {written!r}, and approvals compare names. "
            "Give another one: --as NAME, or RUNBOOK_ACTOR."
        )
        raise ParameterError(message)
    return name
