-- The tables of the Plan and Approve stages: undo plans, candidate plays, approvals.

create table mission_undo_plans (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    plan_label text not null,
    impact_summary text,
    risk_assessment text,
    steps jsonb not null default '[]',
    status undo_plan_state not null default 'draft',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- Kept as the platform has it: nothing makes play_identifier unique within a mission.
create table mission_plays (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    play_identifier text,
    title text not null check (title <> ''),
    description text,
    confidence numeric(5, 2),
    ranking integer,
    selected boolean not null default false,
    undo_plan_id uuid references mission_undo_plans (id) on delete set null,
    generated_by text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table mission_approvals (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    mission_play_id uuid references mission_plays (id) on delete set null,
    approver_id uuid,
    approver_role text not null,
    status approval_status not null default 'requested',
    rationale text,
    due_at timestamptz,
    decision_at timestamptz,
    undo_plan_id uuid references mission_undo_plans (id) on delete set null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
