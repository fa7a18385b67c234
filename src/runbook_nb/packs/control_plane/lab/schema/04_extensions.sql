-- The extensions: pg_cron and pgcrypto come from the lab's own folder, the others from the server.

create extension if not exists pgcrypto;

-- Kept as the platform has it: installed, but no trigram index uses it.
create extension if not exists pg_trgm;

create extension if not exists vector;

create extension if not exists pg_cron;
