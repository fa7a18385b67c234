"""A new runbook from the template: the pair, its control drill and a drill with one fault."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Final

from runbook_nb.authoring.scaffold.classification import group_of, severity_of
from runbook_nb.authoring.scaffold.frame import frame
from runbook_nb.authoring.scaffold.gaps import Gap, gaps
from runbook_nb.authoring.scaffold.names import demand_free, demand_name
from runbook_nb.authoring.scaffold.new_files import write_files, write_new
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.contacts import Contacts, contacts_or_problem
from runbook_nb.runbook.drill import CONTROL, drill_path, formatted_drill
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.runbook.parameters import Parameter
from runbook_nb.runbook.policy import Policy, read_policy

_SPEAKER: Final = "Communications"
_IMPORTS: Final = ("from runbook_nb import Incident, at_most, minutes, seconds",)
_PARAMETERS: Final = (
    Parameter(
        name="verify_within_s",
        type="int",
        default=600,
        low=5,
        high=3600,
        unit="s",
        help="how long a check may take to recover, in seconds",
    ),
)


@dataclass(frozen=True, kw_only=True)
class NewRunbook:
    """What the author says about a new runbook; what is empty is left to be filled in."""

    name: str
    title: str = ""
    scenario: str = ""
    severity: str = ""
    owner: str = ""
    group: str = ""
    fault: str = ""
    alerts: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A new runbook: its Markdown, all files that were written, and what is to be filled in."""

    path: Path
    files: tuple[Path, ...]
    gaps: tuple[Gap, ...]


def begin(wanted: NewRunbook, *, folder: Path, now: datetime) -> Begun:
    """Write a new runbook and its drills into a folder; nothing that exists is changed.

    Raises RunbookFormatError for a name that does not fit or is taken, and ParameterError for a
    policy that cannot be read.
    """
    policy = read_policy(folder)
    demand_name(wanted.name)
    demand_free(wanted.name, folder=folder)
    fault = wanted.fault or "fill_in"
    demand_name(fault)
    path = folder / f"{wanted.name}.md"
    drills = {
        drill_path(folder, wanted.name, kind): _drill(template, wanted.name, fault)
        for kind, template in ((CONTROL, "drill.none.json"), (fault, "drill.fault.json"))
    }
    speaker = _speaker(contacts_or_problem(folder))
    write_new(path, _text(wanted, policy, now, speaker=speaker))
    try:
        write_files(drills)
    except BaseException:
        path.unlink(missing_ok=True)
        path.with_suffix(".ipynb").unlink(missing_ok=True)
        raise
    return Begun(
        path=path,
        files=(path, path.with_suffix(".ipynb"), *drills),
        gaps=tuple(gaps(path, folder=folder, now=now)),
    )


def _speaker(contacts: Contacts) -> str:
    """Return the role that tells users, where the contacts have it, or what may be filled in."""
    known = {**contacts.roles, **contacts.owners}
    return _SPEAKER if contacts.problem or _SPEAKER in known else f"{FILL_IN} who tells users"


def _text(wanted: NewRunbook, policy: Policy, now: datetime, *, speaker: str) -> str:
    front = {
        "name": wanted.name,
        "title": wanted.title or wanted.name.replace("_", " ").title(),
        "scenario": wanted.scenario or f"{FILL_IN} what fails, and what users see.",
        "severity": severity_of(wanted.severity, policy),
        "owner": wanted.owner or f"{FILL_IN} the squad that owns it",
        **group_of(wanted.group, policy),
        "alerts": list(wanted.alerts),
        "escalation": list(wanted.escalation),
        "related": [],
        "last_updated": now.date().isoformat(),
        "last_validated": "",
        "validations": [],
    }
    called = "\n".join(f"| {one} | {FILL_IN} when |" for one in wanted.escalation)
    body = Template(_template("skeleton.md")).substitute(
        contacts=called or f"| {FILL_IN} an address of contacts.toml | {FILL_IN} when |",
        channel=policy.update_channel or "the channel of your incidents",
        speaker=speaker,
    )
    return f"{frame(front, _PARAMETERS, imports=_IMPORTS)}\n{body}"


def _drill(template: str, name: str, fault: str) -> str:
    text = Template(_template(template)).substitute(name=name, fault=fault)
    return formatted_drill(text)


def _template(name: str) -> str:
    return (templates_folder("runbook") / name).read_text(encoding="utf-8")
