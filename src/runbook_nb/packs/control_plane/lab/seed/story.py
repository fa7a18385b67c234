"""One mission being written down: its facts, its chance, and its telemetry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runbook_nb.packs.control_plane.lab.seed.missions import Mission
from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.rows import Rows
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage


@dataclass(frozen=True, kw_only=True)
class Story:
    """A mission with what its rows in several tables must agree on."""

    mission: Mission
    rows: Rows
    chance: Chance
    now: datetime
    coverage_percent: int
    confidences: tuple[float, ...]
    safeguard_id: str

    @classmethod
    def of(cls, mission: Mission, *, rows: Rows, chance: Chance, now: datetime) -> "Story":
        """Draw the facts of a mission; its coverage passes the 85 % that Plan asks for."""
        best = chance.random.randint(82, 96)
        return cls(
            mission=mission,
            rows=rows,
            chance=chance,
            now=now,
            coverage_percent=chance.random.randint(87, 98),
            confidences=(best / 100, (best - chance.random.randint(4, 15)) / 100),
            safeguard_id=chance.id(),
        )

    @property
    def readiness(self) -> str:
        """The readiness after Prepare, and `unknown` before."""
        return "ready" if self.mission.reached(Stage.PREPARE) else "unknown"

    def start(self, stage: Stage) -> datetime:
        """When the mission came to a stage."""
        return self.mission.spans[stage].start

    def tell(
        self,
        event_type: str,
        context: Mapping[str, object],
        *,
        at: datetime,
        stage: Stage,
        agent: str | None = None,
        level: str = "info",
    ) -> None:
        """Add a telemetry event; one without an agent is the owner's doing."""
        mission = self.mission
        correlation_id = f"{mission.id[:8]}-{stage.lower()}"
        self.rows.add(
            "telemetry_events",
            {
                "id": self.chance.id(),
                "mission_id": mission.id,
                "tenant_id": mission.tenant.id,
                "user_id": None if agent else mission.owner_id,
                "agent_name": agent,
                "stage": stage,
                "event_type": event_type,
                "status": level,
                "context": {
                    "mission_id": mission.id,
                    "tenantId": mission.tenant.id,
                    "stage": stage,
                    "persona": mission.theme.persona,
                    "correlation_id": correlation_id,
                    **context,
                },
                "correlation_id": correlation_id,
                "created_at": at,
            },
        )
