-- What the runbook on row level security needs: to look as another caller, to repair as the owner.

-- INHERIT FALSE: nothing of it holds until SET ROLE. Whoever looks as a caller may do what that caller
-- may, so it is a role of its own: the reader is nobody but itself.
grant anon, authenticated to runbook_viewer with inherit false, set true;

grant anon, authenticated to runbook_writer with inherit false, set true;

-- Policies, grants and row level security are the owner's to change; an action asks for it by name.
grant postgres to runbook_writer with inherit false, set true;
