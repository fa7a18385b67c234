-- The functions that the policies and the application ask about missions and the library.

-- Kept as the platform has it: governance, and analytics outside drafts, pass this test, and the
-- write policies use it too.
create function mission_accessible(mid uuid)
returns boolean
language sql stable
as $$
    select exists (
        select
        from missions
        where
            missions.id = mid
            and (
                missions.tenant_id = current_tenant_id()
                or has_role('governance')
                or has_role('service')
                or (has_role('analytics') and missions.status <> 'draft')
            )
    );
$$;

create function get_mission_stage_durations(mid uuid)
returns table (stage mission_stage, duration_seconds numeric)
language sql volatile
as $$
    select
        progress.stage,
        extract(
            epoch from coalesce(progress.completed_at, now())
            - coalesce(progress.started_at, progress.updated_at)
        )
    from mission_stage_status as progress
    where progress.mission_id = mid
    order by progress.stage;
$$;

create function get_mission_readiness(mid uuid)
returns readiness_state
language sql volatile
as $$
    select coalesce(
        (
            select progress.readiness_state
            from mission_stage_status as progress
            where progress.mission_id = mid and progress.stage = 'Prepare'
        ),
        (select missions.readiness from missions where missions.id = mid),
        'unknown'
    );
$$;

create function search_library_entries(
    query_embedding vector(1536),
    similarity_threshold double precision default 0.25,
    limit_results integer default 20
)
returns table (entry_id uuid, score double precision)
language sql stable
as $$
    select
        library_embeddings.entry_id,
        1 - (library_embeddings.embedding <=> query_embedding)
    from library_embeddings
    inner join library_entries on library_entries.id = library_embeddings.entry_id
    where
        (library_embeddings.embedding <=> query_embedding)
        <= 1 - least(greatest(similarity_threshold, 0), 1)
    order by library_embeddings.embedding <=> query_embedding
    limit greatest(limit_results, 1);
$$;

comment on function search_library_entries(vector, double precision, integer)
is 'Library entries nearest to a query embedding, by cosine similarity.';
