-- Timelines that several machines write on: each is a chain that only grows. Its lines are those of
-- the file, byte for byte.

create sequence runbook.incident_number start 2001;

create table runbook.incident (
    id text primary key,
    seq int not null default 0,
    head text not null default repeat('0', 64),
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create index incident_open on runbook.incident (opened_at) where closed_at is null;

create table runbook.event (
    incident text not null references runbook.incident (id),
    seq int not null,
    hash text not null,
    kind text not null,
    line bytea not null,
    at timestamptz not null default clock_timestamp(),
    primary key (incident, seq)
);

-- Where an alert goes in an environment; the key is a digest of both.
create table runbook.alert_place (
    key text primary key,
    incident text not null
);

-- Who acts in an incident now: a lease, so that one who is frozen keeps nobody waiting for ever.
create table runbook.turn (
    incident text primary key,
    holder text not null,
    until timestamptz not null
);

-- The only way a line is written. It stands behind the head that its writer has seen, or nowhere:
-- false says that somebody else was first.
create function runbook.append(
    of_incident text, of_seq int, of_prev text, of_hash text, of_kind text, of_line bytea,
    of_order text, of_fence bigint, of_holder text
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Who was replaced says nothing more, but for what became of what it had begun.
    if of_order <> '' and of_kind not in ('acted', 'undone') then
        perform from runbook.orders
        where id = of_order and fence = of_fence and state = 'running' for share;
        if not found then
            raise exception 'another worker has taken its order over' using errcode = 'RB001';
        end if;
    end if;
    if of_kind = 'acting' then
        perform from runbook.turn
        where incident = of_incident and holder = of_holder and until > clock_timestamp()
        for share;
        if not found then
            raise exception 'the turn to act was lost' using errcode = 'RB002';
        end if;
    end if;
    insert into runbook.incident (id) values (of_incident) on conflict do nothing;
    update runbook.incident
    set seq = of_seq, head = of_hash,
        closed_at = case when of_kind = 'closed' then clock_timestamp() else closed_at end
    where id = of_incident and seq = of_seq - 1 and head = of_prev;
    if not found then
        return false;
    end if;
    insert into runbook.event (incident, seq, hash, kind, line)
    values (of_incident, of_seq, of_hash, of_kind, of_line);
    return true;
end
$$;
revoke execute on function runbook.append from public;
