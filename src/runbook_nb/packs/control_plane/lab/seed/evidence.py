"""Artifacts of a run with real hashes, the evidence that shows them, and the bundle."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from runbook_nb.packs.control_plane.lab.seed.rows import canonical
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage


def write_bundle(story: Story, *, at: datetime) -> tuple[str, str]:
    """Write the outputs and the bundle over them; return the bundle's id and hash."""
    run_end = story.mission.spans[Stage.EXECUTE].end or at
    outputs = [
        _write_artifact(
            story, kind, content, name=f"{kind} for {story.mission.title}", at=run_end, run=True
        )
        for kind, content in (
            ("change_report", {"changed": story.chance.random.randint(8, 50), "skipped": 1}),
            ("draft_set", {"drafts": story.chance.random.randint(3, 20), "sent": 0}),
        )
    ]
    manifest = {
        "mission_id": story.mission.id,
        "artifact_hashes": [digest for _, digest in outputs],
        "undo_plan_id": story.mission.undo_plan_id,
    }
    name = f"evidence bundle for {story.mission.title}"
    return _write_artifact(story, "evidence_bundle", manifest, name=name, at=at, run=False)


def _write_artifact(
    story: Story, kind: str, content: Mapping[str, object], *, name: str, at: datetime, run: bool
) -> tuple[str, str]:
    """Write an artifact whose hash is the SHA-256 of its canonical JSON, and its evidence."""
    artifact_id = story.chance.id()
    text = canonical(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    stage = Stage.EXECUTE if run else Stage.REFLECT
    story.rows.add(
        "mission_artifacts",
        {
            "id": artifact_id,
            "mission_id": story.mission.id,
            "artifact_type": kind,
            "name": name,
            "description": None,
            "source_stage": stage,
            "storage_path": f"evidence/{story.mission.id}/{artifact_id}.json",
            "storage_provider": "supabase",
            "hash": digest,
            "metadata": {"content": dict(content), "size_bytes": len(text), "version": 1},
            "created_by": None,
            "created_at": at,
            "updated_at": at,
        },
    )
    story.rows.add(
        "mission_evidence",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "artifact_id": artifact_id,
            "display_message": name,
            "source_stage": stage,
            "redaction_status": "not_required" if run else "applied",
            "metadata": {},
            "created_at": at,
        },
    )
    return artifact_id, digest
