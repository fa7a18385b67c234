-- The tables of the Reflect stage: feedback, follow-ups, retrospectives.

create table mission_feedback (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    user_id uuid,
    persona text,
    rating integer check (rating between 1 and 5),
    effort_saved_hours numeric(6, 2),
    blockers text,
    qualitative_notes text,
    submitted_at timestamptz not null default now(),
    metadata jsonb not null default '{}'
);

create table mission_followups (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    task_type text not null,
    owner_role text,
    owner_id uuid,
    due_at timestamptz,
    status followup_state not null default 'open',
    bd_issue text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    completed_at timestamptz
);

create table mission_retrospectives (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    impact_metrics jsonb not null default '{}',
    safeguard_compliance jsonb not null default '{}',
    next_actions jsonb not null default '[]',
    summary text,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
