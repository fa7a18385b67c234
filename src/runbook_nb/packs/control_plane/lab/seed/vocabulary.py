"""What the two tenants work on: personas, themes, toolkits and the words of their missions."""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a mission, in order."""

    HOME = "Home"
    DEFINE = "Define"
    PREPARE = "Prepare"
    PLAN = "Plan"
    APPROVE = "Approve"
    EXECUTE = "Execute"
    REFLECT = "Reflect"


STAGES = tuple(Stage)


@dataclass(frozen=True, kw_only=True)
class Toolkit:
    """A toolkit of Composio; one without scopes needs no Connect Link."""

    slug: str
    name: str
    scopes: tuple[str, ...]
    actions: tuple[str, ...]


WAREHOUSE = Toolkit(
    slug="warehouse",
    name="Workspace Warehouse",
    scopes=(),
    actions=("WAREHOUSE_QUERY", "WAREHOUSE_EXPORT"),
)
HUBSPOT = Toolkit(
    slug="hubspot",
    name="HubSpot",
    scopes=("crm.objects.contacts.read", "crm.objects.contacts.write"),
    actions=("HUBSPOT_SEARCH_CONTACTS", "HUBSPOT_UPDATE_CONTACT", "HUBSPOT_CREATE_NOTE"),
)
GMAIL = Toolkit(
    slug="gmail",
    name="Gmail",
    scopes=("gmail.readonly", "gmail.compose"),
    actions=("GMAIL_FETCH_EMAILS", "GMAIL_CREATE_EMAIL_DRAFT"),
)
ZENDESK = Toolkit(
    slug="zendesk",
    name="Zendesk",
    scopes=("tickets:read", "tickets:write"),
    actions=("ZENDESK_LIST_TICKETS", "ZENDESK_UPDATE_TICKET"),
)
SLACK = Toolkit(
    slug="slack",
    name="Slack",
    scopes=("channels:read", "chat:write"),
    actions=("SLACK_FETCH_HISTORY", "SLACK_SEND_MESSAGE"),
)
GITHUB = Toolkit(
    slug="github",
    name="GitHub",
    scopes=("repo", "read:org"),
    actions=("GITHUB_LIST_ISSUES", "GITHUB_ADD_LABELS", "GITHUB_CREATE_COMMENT"),
)
DRIVE = Toolkit(
    slug="googledrive",
    name="Google Drive",
    scopes=("drive.readonly", "drive.file"),
    actions=("GOOGLEDRIVE_FIND_FILE", "GOOGLEDRIVE_UPDATE_PERMISSION"),
)


@dataclass(frozen=True, kw_only=True)
class Theme:
    """A kind of mission that a persona gives again and again."""

    persona: str
    category: str
    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    toolkits: tuple[Toolkit, ...]


THEMES = (
    Theme(
        persona="RevOps",
        category="renewals",
        verbs=("Rescue", "Forecast", "Prioritise", "Brief owners on"),
        objects=("renewals at risk", "lapsed contracts", "expansion accounts", "overdue quotes"),
        toolkits=(WAREHOUSE, HUBSPOT, GMAIL),
    ),
    Theme(
        persona="RevOps",
        category="pipeline hygiene",
        verbs=("Clean up", "Deduplicate", "Re-score", "Assign owners to"),
        objects=("stale opportunities", "inbound leads", "trial sign-ups", "partner referrals"),
        toolkits=(WAREHOUSE, HUBSPOT),
    ),
    Theme(
        persona="Support",
        category="ticket triage",
        verbs=("Triage", "Tag", "Draft replies for", "Escalate"),
        objects=("billing tickets", "unassigned tickets", "refund requests", "login complaints"),
        toolkits=(WAREHOUSE, ZENDESK, SLACK),
    ),
    Theme(
        persona="Support",
        category="knowledge base",
        verbs=("Rewrite", "Find gaps in", "Translate", "Retire"),
        objects=("setup guides", "billing answers", "release notes", "troubleshooting pages"),
        toolkits=(WAREHOUSE, ZENDESK, DRIVE),
    ),
    Theme(
        persona="Engineering",
        category="issue grooming",
        verbs=("Groom", "Label", "Summarise", "Close out"),
        objects=("stale issues", "flaky test reports", "dependency alerts", "crash reports"),
        toolkits=(WAREHOUSE, GITHUB),
    ),
    Theme(
        persona="Engineering",
        category="incident follow-up",
        verbs=("Collect actions from", "Write up", "Announce", "Track owners of"),
        objects=("post-incident reviews", "latency incidents", "failed deploys", "on-call notes"),
        toolkits=(WAREHOUSE, GITHUB, SLACK),
    ),
    Theme(
        persona="Governance",
        category="access review",
        verbs=("Review", "Revoke unused", "Certify", "Report on"),
        objects=("file shares", "contractor accounts", "admin roles", "guest links"),
        toolkits=(WAREHOUSE, DRIVE, SLACK),
    ),
    Theme(
        persona="Governance",
        category="retention",
        verbs=("Audit", "Archive", "Classify", "Schedule deletion of"),
        objects=("expired records", "exported reports", "old mail threads", "consent forms"),
        toolkits=(WAREHOUSE, DRIVE, GMAIL),
    ),
)

SAFEGUARDS = (
    ("tone", "Keep the wording plain and polite.", "low"),
    ("data handling", "Leave customer contact details out of every draft.", "high"),
    ("quota", "Change at most 50 records in one run.", "medium"),
    ("timing", "Send nothing outside office hours of the recipient.", "medium"),
    ("escalation", "Ask a reviewer before a record is closed.", "high"),
)

PLAY_STYLES = ("Careful batch", "Owner by owner", "Fast sweep")

REMARKS = (
    "Saved an afternoon of copying between tools.",
    "The plan was clear, one draft needed a second look.",
    "Undo gave the team confidence to try it.",
    "Good result; the approval took longer than the run.",
    "Exactly what was asked for.",
)
