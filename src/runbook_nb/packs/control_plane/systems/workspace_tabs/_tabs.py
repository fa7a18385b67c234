"""Open tabs whose revision is older than the one that is stored."""

from typing import Final

# A tab is told of each revision with the next beat, 30 s at most; twice that and it hears nothing.
DEAF_AFTER_S: Final = 60
BEHIND: Final = """
select w.id::text as stream, w.session_id as tab, w.mission_id::text as mission, w.connected_at,
       (w.metadata ->> 'revision_id')::int as revision,
       (s.state ->> 'revision_id')::int as stored,
       count(*) over (partition by w.mission_id) as tabs_behind
from workspace_stream_sessions w
join missions m on m.id = w.mission_id and m.status = 'in_progress'
join mission_sessions s on s.mission_id = w.mission_id and s.status = 'active'
where w.disconnected_at is null
  and w.sampling_mode is distinct from 'synthetic'
  and w.connected_at < now() - make_interval(secs => %(deaf_after_s)s)
  and (w.metadata ->> 'revision_id')::int < (s.state ->> 'revision_id')::int
order by w.mission_id, w.connected_at
"""
OPEN: Final = """
select count(*) as tabs, count(w.metadata -> 'revision_id') as with_revision
from workspace_stream_sessions w
join missions m on m.id = w.mission_id and m.status = 'in_progress'
where w.disconnected_at is null and w.sampling_mode is distinct from 'synthetic'
"""
