"""The opens of streams, and where a stream is."""

from typing import Final

STREAM_PATH: Final = "/api/stream/execution"
OPENS: Final = """
select session_id,
       count(*) as opens,
       round(count(*) * 60 / extract(epoch from %(window)s), 1) as opens_per_minute
from workspace_stream_sessions
where connected_at > now() - %(window)s
  and sampling_mode is distinct from 'synthetic'
group by session_id
order by opens desc
limit 20
"""
