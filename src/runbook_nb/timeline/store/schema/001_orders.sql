-- What came in, and what was ordered because of it.

create table runbook.delivery (
    id bigint generated always as identity primary key,
    source text not null,
    digest text not null,  -- SHA-256 of the raw body: a message that is sent again is one
    body bytea not null,
    first_at timestamptz not null default clock_timestamp(),
    last_at timestamptz not null default clock_timestamp(),
    times int not null default 1,
    taking_at timestamptz,  -- when somebody began to take it in
    taken_at timestamptz,   -- when each of its alerts was answered or named
    outcome text not null default '',
    unique (source, digest)
);
create index delivery_waiting on runbook.delivery (id) where taken_at is null;

-- One alert from its beginning to its end, as its sender tells them apart.
create table runbook.sighting (
    source text not null,
    key text not null,
    incident text not null,
    times int not null default 1,
    first_at timestamptz not null default clock_timestamp(),
    last_at timestamptz not null default clock_timestamp(),
    primary key (source, key)
);

create table runbook.orders (
    id text primary key,
    incident text not null,
    runbook text not null,
    environment text not null,
    parameters jsonb not null default '{}',
    cause text not null default '',
    priority int not null default 0,
    state text not null default 'queued'
        check (state in ('queued', 'running', 'done', 'given_up', 'dropped')),
    fence bigint not null default 0,   -- how often it was claimed: an older claim counts no more
    attempts int not null default 0,   -- those that were not cut off by us
    worker text not null default '',
    queued_at timestamptz not null default clock_timestamp(),
    began_at timestamptz,
    beat_at timestamptz,
    ended_at timestamptz,
    result jsonb
);
create unique index one_live on runbook.orders (incident, runbook)
    where state in ('queued', 'running');
create index order_running on runbook.orders (environment) where state = 'running';
create index order_queued on runbook.orders (priority desc, queued_at) where state = 'queued';
