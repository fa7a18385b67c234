"""What a tenant and a mission of the seed are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage, Theme


class Status(StrEnum):
    """The statuses of a mission."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    READY = "ready"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A workspace and the people who work in it."""

    id: str
    slug: str
    name: str
    owners: tuple[str, ...]
    approvers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MissionPlan:
    """How far a mission has come."""

    status: Status
    stage: Stage


@dataclass(frozen=True, kw_only=True)
class Span:
    """When a stage began and, unless it is still open, ended."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, kw_only=True)
class Mission:
    """A mission, and when it went through each stage that it has reached."""

    id: str
    number: int
    tenant: Tenant
    persona_id: str
    theme: Theme
    title: str
    owner_id: str
    approver_id: str
    priority: str
    standing: MissionPlan
    spans: Mapping[Stage, Span]
    play_ids: tuple[str, ...]
    undo_plan_id: str
    live_agent: str | None

    @property
    def created_at(self) -> datetime:
        """When the mission was created."""
        return self.spans[Stage.HOME].start

    @property
    def finished(self) -> bool:
        """Whether the mission is completed, be it archived or not."""
        return self.standing.status in (Status.COMPLETED, Status.ARCHIVED)

    def is_every(self, count: int, *, first: int) -> bool:
        """Tell whether this is the mission of number `first` or every so many after it."""
        return is_every(self.number, count, first=first)

    def reached(self, stage: Stage) -> bool:
        """Tell whether the mission has come to a stage."""
        return stage in self.spans

    def passed(self, stage: Stage) -> bool:
        """Tell whether the mission has left a stage behind."""
        return stage in self.spans and self.spans[stage].end is not None


def is_every(number: int, count: int, *, first: int) -> bool:
    """Tell whether a number is `first` or a multiple of `count` above it."""
    return number >= first and (number - first) % count == 0


def new_tenants(chance: Chance) -> tuple[Tenant, Tenant]:
    """Draw the two tenants that use the platform."""
    return (
        _new_tenant(chance, slug="northwind", name="Northwind Freight"),
        _new_tenant(chance, slug="harbourlight", name="Harbourlight Clinics"),
    )


def _new_tenant(chance: Chance, *, slug: str, name: str) -> Tenant:
    return Tenant(
        id=chance.id(),
        slug=slug,
        name=name,
        owners=tuple(chance.id() for _ in range(6)),
        approvers=tuple(chance.id() for _ in range(2)),
    )
