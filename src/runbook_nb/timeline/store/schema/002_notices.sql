-- What people are told of an order, each notice once, wherever its sender dies; and when an order
-- was handed to another engine, which takes its time to begin.

alter table runbook.orders add column handed_at timestamptz;

create table runbook.notice (
    id text primary key,  -- stands in the notice itself, so that it is found where it was told
    order_id text not null references runbook.orders (id),
    channel text not null,
    place text not null,  -- where in the channel: a room, or an incident of the sender of alerts
    body jsonb not null,
    made_at timestamptz not null default clock_timestamp(),
    next_at timestamptz not null default clock_timestamp(),  -- nobody else tells it before
    tries int not null default 0,
    told_at timestamptz,
    left_at timestamptz,  -- when it was given up
    problem text not null default '',
    unique (order_id, channel, place)
);
create index notice_waiting on runbook.notice (next_at) where told_at is null and left_at is null;
