"""Commands for records: close, discard, verify."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import (
    EXIT_CODES,
    Actor,
    AsJson,
    IncidentId,
    Incidents,
    app,
    say,
    say_to_errors,
)
from runbook_nb.cli.completion import incident_ids
from runbook_nb.errors import RunbookError

if TYPE_CHECKING:
    from runbook_nb.record.close import Recorded
    from runbook_nb.record.proof import ProofResult, Signer
    from runbook_nb.timeline.events import FollowUp


@app.command()
def close(
    incident: IncidentId,
    *,
    resolution: Annotated[str, typer.Option(help="What ended it, in a sentence.")] = "",
    cause: Annotated[str, typer.Option(help="What made it possible, as far as is known.")] = "",
    commander: Annotated[str, typer.Option(metavar="NAME", help="Who led the response.")] = "",
    users_saw: Annotated[str, typer.Option(help="What users saw, in their words.")] = "",
    follow_up: Annotated[
        list[str] | None,
        typer.Option(help="What is to be done after it; may be given several times."),
    ] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Who does the follow-up: one for each in order, or one for all."
        ),
    ] = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Post the closing message to its channel.")
    ] = False,
    without_copies: Annotated[
        bool,
        typer.Option(
            "--without-copies", help="Where the machine that has executed copies is lost."
        ),
    ] = False,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Close an incident and make its sealed record, also after a run that was cut off.

    The closing message holds the heads of the timeline and of the whole record: once they stand
    in a channel, nobody can exchange the record unseen.

    What you say of it stands on the timeline, in the record and in the postmortem.

    Example: runbook close INC-2041 --resolution "The worker runs again." --cause "A full queue."
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.settle import how_to_settle
    from runbook_nb.record.close import close as close_incident
    from runbook_nb.timeline.events import ClosingStatement
    from runbook_nb.timeline.folder import incidents_folder

    folder = incidents or incidents_folder()
    statement = ClosingStatement(
        cause=cause.strip(),
        commander=commander.strip(),
        users_saw=users_saw.strip(),
        follow_ups=_follow_ups(follow_up or [], owner or []),
    )
    done = close_incident(
        folder,
        incident,
        by=by or actor(),
        resolution=resolution,
        statement=statement,
        without_copies=without_copies,
        say=say_to_errors,
    )
    facts = {
        "incident": incident,
        "record": str(done.page),
        "message": done.message,
        "channel": done.channel,
        "unanswered": list(done.unanswered),
        "begun": [attempt.acting.title for attempt in done.begun],
    }
    say(f"{incident} is closed. Record: {done.page}", facts=facts, as_json=as_json)
    for question in done.unanswered:
        typer.echo(f"Nobody answered: {question}", err=True)
    for line in how_to_settle(incident, done.begun):
        typer.echo(line, err=True)
    warn_unsigned(done)
    if announce:
        _announce(folder, done, say=say_to_errors if as_json else typer.echo)
    elif not as_json:
        where = f"in {done.channel}" if done.channel else "where others keep it"
        typer.echo(f"Post this {where}:\n  {done.message}")


def _follow_ups(texts: Sequence[str], owners: Sequence[str]) -> "tuple[FollowUp, ...]":
    """Return what is to follow, each with its owner; raises ParameterError where none fits."""
    from runbook_nb.errors import ParameterError
    from runbook_nb.timeline.events import FollowUp

    if len(owners) == 1:
        owners = list(owners) * len(texts)
    if not all(text.strip() for text in texts) or len(owners) not in (0, len(texts)):
        message = (
            f"--owner is given {len(owners)} times for {len(texts)} of --follow-up. Give each "
            "follow-up its words and its owner, in the same order, or one owner for all."
        )
        raise ParameterError(message)
    named = zip(texts, owners or [""] * len(texts), strict=True)
    return tuple(FollowUp(text=text.strip(), owner=who.strip()) for text, who in named)


@app.command()
def discard(
    incident: IncidentId,
    *,
    because: Annotated[str, typer.Option(help="Why it is none, in a sentence.")],
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """End an incident that was opened by mistake; nothing may have been done in it.

    Its timeline stays, and its record says why it was discarded.

    Example: runbook discard INC-2041 --because "Opened for the wrong service."
    """
    from runbook_nb.errors import ParameterError
    from runbook_nb.incident.context import actor
    from runbook_nb.record.close import close as close_incident
    from runbook_nb.timeline.folder import incidents_folder

    if not because.strip():
        message = 'Say why, in a sentence: --because "…".'
        raise ParameterError(message)
    done = close_incident(
        incidents or incidents_folder(),
        incident,
        by=by or actor(),
        resolution=because.strip(),
        discarded=True,
        say=say_to_errors,
    )
    said = f"{incident} is discarded. Record: {done.page}"
    facts = {"incident": incident, "record": str(done.page), "message": done.message}
    say(said, facts=facts, as_json=as_json)


@app.command()
def verify(
    path: Annotated[
        Path,
        typer.Argument(help="A record: its folder, or a file in it.", autocompletion=incident_ids),
    ],
    *,
    head: Annotated[
        str, typer.Option(help="A head from the closing message, 12 digits or more.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Prove that nobody altered a record; names what was, and who sealed it.

    It needs nothing but the record. Exit code: 0 unaltered and sealed by a known key; 1 unaltered,
    but nobody known here vouches for it, or a working copy was saved later; 2 altered; 3 it cannot
    be judged.

    Example: runbook verify incidents/INC-2041 --head 4f0c2a91be77
    """
    from runbook_nb.record.proof import verify_record

    found = verify_record(_record_folder(path), head=head)
    if as_json:
        facts = {
            "verdict": found.verdict,
            "problems": [vars(problem) for problem in found.problems],
            "head": found.head,
            "record_head": found.digest,
            "witnessed": found.witnessed,
            "reseals": [vars(each) for each in found.reseals],
            "made_by": found.made_by,
            "signer": vars(found.signer),
        }
        typer.echo(json.dumps(facts, indent=2))
    else:
        for line in _said(path, found):
            typer.echo(line)
    raise typer.Exit(EXIT_CODES[found.verdict])


def _record_folder(path: Path) -> Path:
    """Return the record that is meant: a path, or the id of an incident."""
    from runbook_nb.timeline.folder import incidents_folder

    if path.exists():
        return path
    by_id = incidents_folder() / path
    return by_id if by_id.is_dir() else path


def _said(path: Path, found: "ProofResult") -> Iterator[str]:
    """Say what differs, who vouches, and what a witness confirms, a line each."""
    from runbook_nb.record.facts import made_by
    from runbook_nb.record.proof import Witnessed

    yield from map(str, found.problems)
    if not found.problems:
        yield f"{path}: every file and every event is as it was sealed."
    if not found.head:
        return
    yield from map(str, found.reseals)
    if found.made_by != made_by():
        yield (
            f"Made by {found.made_by}; this is {made_by()}. Its facts may be told otherwise here: "
            "its timeline and its files are proven."
        )
    yield _vouched(found.signer)
    yield f"Head of the timeline: {found.head}"
    yield f"Head of the whole record: {found.digest}"
    if found.witnessed is Witnessed.RECORD:
        yield "The witness holds the head of the whole record."
    if found.witnessed is Witnessed.TIMELINE:
        yield (
            "The witness holds the head of the timeline: the events are those it saw. "
            "For all other files, compare the head of the whole record."
        )


def warn_unsigned(done: "Recorded") -> None:
    """Say why a record is not signed, if it is not."""
    if done.seal.reason:
        typer.echo(f"The record is not signed. {done.seal.reason}", err=True)


def _vouched(signer: "Signer") -> str:
    """Say what the seal is worth to whoever asks here."""
    from runbook_nb.record.proof import SignerTrust
    from runbook_nb.runbook.keys import TRUSTED_FILE, config_folder

    known = f"Sealed by {signer.fingerprint}"
    match signer.standing:
        case SignerTrust.NONE:
            return "Nobody signed it: whoever can write these files could have altered them."
        case SignerTrust.UNKNOWN:
            place = config_folder() / TRUSTED_FILE
            return (
                f"{known}, which is not known here. Ask its owner for the fingerprint by another "
                f"way, and add it to {place}."
            )
        case _:
            return f"{known} ({signer.name})."


def _announce(incidents: Path, done: "Recorded", *, say: Callable[[str], None]) -> None:
    """Post the closing message; the incident stays closed if the channel cannot be reached."""
    from runbook_nb.probes.environment import Environment
    from runbook_nb.runbook.packs import announcement
    from runbook_nb.timeline.incidents import beginning, find

    try:
        post = announcement(incident=done.incident, text=done.message)
        environment = Environment.load(beginning(find(incidents, done.incident)).environment)
        systems = environment.writing([])
        post.do(systems)
    except Exception as error:
        message = f"Not posted ({error}). Post it by hand:\n  {done.message}"
        raise RunbookError(message) from error
    systems.close()
    channel = ", ".join(post.tells) or done.channel or "the channel"
    say(f"Posted to {channel}: {done.message}")
