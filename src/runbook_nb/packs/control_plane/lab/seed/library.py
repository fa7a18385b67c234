"""The library: reusable plays by topic, and embeddings in which a topic lies close together."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from runbook_nb.packs.control_plane.lab.seed.embedding_model import MODEL, embed, unit
from runbook_nb.packs.control_plane.lab.seed.missions import Mission, Tenant
from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.rows import Rows
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES, Theme

_PROVIDER = "google"

# Of the twenty plays of a topic the first eight belong to everybody, six to each tenant.
_GLOBAL = 8
_PRIVATE = 6


def write_library(
    rows: Rows,
    chance: Chance,
    *,
    tenants: Sequence[Tenant],
    missions: Sequence[Mission],
    now: datetime,
) -> None:
    """Write entries and embeddings for every topic, global ones and each tenant's own."""
    for theme in THEMES:
        titles = _titles(theme)
        for _ in range(_GLOBAL):
            _write_entry(rows, chance, theme, next(titles), sources=None, now=now)
        for tenant in tenants:
            sources = [
                mission
                for mission in missions
                if mission.finished and mission.tenant is tenant and mission.theme is theme
            ]
            for _ in range(_PRIVATE):
                owned = (tenant, sources)
                _write_entry(rows, chance, theme, next(titles), sources=owned, now=now)


def _titles(theme: Theme) -> Iterator[str]:
    """Give titles that never repeat: a tenant's entries may not share one."""
    for style in ("step by step", "in batches"):
        for verb in theme.verbs:
            for what in theme.objects:
                yield f"{verb} {what} {style}"


def _write_entry(
    rows: Rows,
    chance: Chance,
    theme: Theme,
    title: str,
    *,
    sources: tuple[Tenant, Sequence[Mission]] | None,
    now: datetime,
) -> None:
    tenant, missions = sources or (None, ())
    entry_id = chance.id()
    source = chance.random.choice(missions) if missions else None
    # The text is older than any embedding of it.
    description = f"A proven play for {theme.category}."
    written_at = now - chance.seconds(7 * 86400, 150 * 86400)
    rows.add(
        "library_entries",
        {
            "id": entry_id,
            "tenant_id": tenant.id if tenant else None,
            "title": title,
            "description": description,
            "category": theme.category,
            "persona": theme.persona,
            "tags": f'{{"{theme.category}",{theme.toolkits[-1].slug}}}',
            "playbook": {"toolkits": [toolkit.slug for toolkit in theme.toolkits], "steps": 4},
            "source_mission_id": source.id if source else None,
            "source_artifact_id": None,
            "reuse_count": chance.whole(median=4, sigma=0.8, low=0, high=40),
            "average_rating": chance.random.randint(36, 49) / 10,
            "created_by": chance.random.choice(tenant.owners) if tenant else None,
            "created_at": written_at,
            "updated_at": written_at,
        },
    )
    _write_embedding(
        rows,
        entry_id,
        f"{title}\n{description}",
        at=now - chance.seconds(43200, 6 * 86400),
    )


def _write_embedding(rows: Rows, entry_id: str, text: str, *, at: datetime) -> None:
    # The model's 3072 numbers are cut to the 1536 that the index takes, and scaled to length 1.
    rows.add(
        "library_embeddings",
        {
            "entry_id": entry_id,
            "embedding": f"[{','.join([f'{number:.6f}' for number in unit(embed(text))])}]",
            "embedding_provider": _PROVIDER,
            "embedding_model": MODEL,
            "updated_at": at,
        },
    )
