"""Commands of who says yes: approve, key."""

from typing import Annotated

import typer

from runbook_nb.cli.app import Actor, AsJson, IncidentId, Incidents, KeyFile, app, event_facts, say
from runbook_nb.cli.completion import option_letters
from runbook_nb.errors import SettingMissingError


@app.command()
def approve(
    incident: IncidentId,
    option: Annotated[
        str,
        typer.Argument(help="The option, by heading or letter.", autocompletion=option_letters),
    ],
    *,
    key: KeyFile = None,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Say yes to an option of the incident's last run, for half an hour.

    It is signed with your key, and your name follows from that. Only where a name is enough, as in
    the lab, --as says who you are.

    Example: runbook approve INC-2041 "Option A"
    """
    from runbook_nb.incident.cards.describe import named_approver
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.statement import signer
    from runbook_nb.runs.run import approve_last
    from runbook_nb.timeline.folder import incidents_folder

    event = approve_last(
        incidents or incidents_folder(), incident, option=option, by=by or actor(), key=key
    )
    # Whose key it is was looked up when it was signed.
    who = named_approver(event, {signer(event): event.by})
    said = (
        f"Approved: {event.option!r} until {event.expires_at:%H:%M:%SZ}. By: {who}.\n"
        "Resolve with the same parameters: runbook run --incident, in that time."
    )
    say(said, facts={**event_facts(incident, event), "who": who}, as_json=as_json)


@app.command()
def key(*, file: KeyFile = None, as_json: AsJson = False) -> None:
    """Show the key that signs your approvals and seals your records; make it where there is none.

    Example: runbook key
    """
    from runbook_nb.runbook.keys import key_path, own_seal, signing_seal
    from runbook_nb.runbook.people import read_people

    seal = own_seal(file) if file else signing_seal()
    if seal.key is None:
        raise SettingMissingError(seal.reason)
    place, owner = file or key_path(), read_people().owner(seal.fingerprint)
    facts = {
        "fingerprint": seal.fingerprint,
        "file": str(place),
        "owner": owner.name if owner else "",
        "may_approve": bool(owner and owner.may_approve),
    }
    if owner:
        may = "may approve" if owner.may_approve else "may not approve"
        told = f"It is the key of {owner.name}, who {may}."
    else:
        told = (
            "Nobody in the project's file has it. To approve with it, have this added there:\n\n"
            f'[people."you@company.com"]\nkeys = ["{seal.fingerprint}"]\nmay = ["approve"]'
        )
    say(f"{seal.fingerprint} in {place}\n{told}", facts=facts, as_json=as_json)
