"""What a run changes at the customers' tools, and how each change is read and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class RecordTools:
    """One kind of record: the tools that change it, read it and take the change back.

    ``before`` is what the record holds before a run, None where the run makes the record.
    """

    kind: str
    change: str
    read: str
    reverse: str
    before: Mapping[str, str] | None
    after: Mapping[str, str]


# The warehouse is only read, so nothing of it has to be taken back.
RECORDS: Final[Mapping[str, RecordTools]] = {
    "hubspot": RecordTools(
        kind="contact",
        change="HUBSPOT_UPDATE_CONTACT",
        read="HUBSPOT_READ_CONTACT",
        reverse="HUBSPOT_UPDATE_CONTACT",
        before={"lifecyclestage": "opportunity"},
        after={"lifecyclestage": "customer"},
    ),
    "zendesk": RecordTools(
        kind="ticket",
        change="ZENDESK_UPDATE_TICKET",
        read="ZENDESK_GET_TICKET",
        reverse="ZENDESK_UPDATE_TICKET",
        before={"status": "open", "group": "billing"},
        after={"status": "solved", "group": "renewals"},
    ),
    "googledrive": RecordTools(
        kind="permission",
        change="GOOGLEDRIVE_UPDATE_PERMISSION",
        read="GOOGLEDRIVE_GET_PERMISSION",
        reverse="GOOGLEDRIVE_UPDATE_PERMISSION",
        before={"role": "writer"},
        after={"role": "reader"},
    ),
    "gmail": RecordTools(
        kind="draft",
        change="GMAIL_CREATE_EMAIL_DRAFT",
        read="GMAIL_GET_DRAFT",
        reverse="GMAIL_DELETE_DRAFT",
        before=None,
        after={"subject": "Your renewal"},
    ),
    "slack": RecordTools(
        kind="message",
        change="SLACK_SEND_MESSAGE",
        read="SLACK_GET_MESSAGE",
        reverse="SLACK_DELETE_MESSAGE",
        before=None,
        after={"text": "The review is done."},
    ),
    "github": RecordTools(
        kind="comment",
        change="GITHUB_CREATE_COMMENT",
        read="GITHUB_GET_COMMENT",
        reverse="GITHUB_DELETE_COMMENT",
        before=None,
        after={"body": "Closed as stale."},
    ),
}
