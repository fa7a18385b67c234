-- What the runbook on row level security needs: to look as another caller, to repair as the owner.

-- INHERIT FALSE: nothing of it holds until SET ROLE. The reader's transactions stay read-only.
grant anon, authenticated to runbook_reader with inherit false, set true;

grant anon, authenticated to runbook_writer with inherit false, set true;

-- Policies, grants and row level security are the owner's to change; an action asks for it by name.
grant postgres to runbook_writer with inherit false, set true;
