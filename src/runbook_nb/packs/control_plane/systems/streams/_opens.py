"""The opens of streams, and where a stream is."""

from typing import Final

STREAM_PATH: Final = "/api/stream/execution"
# Opens without a minute's rest between two of them are one storm; a storm whose last open is older
# is over. Its rate is told over the time since it began, and over a minute while it is younger.
OPENS: Final = """
with opened as (
    select session_id, mission_id, connected_at,
           connected_at - lag(connected_at) over each > interval '1 minute' as anew
    from workspace_stream_sessions
    where connected_at > now() - %(window)s
      and connected_at <= now() + interval '5 seconds'
      and sampling_mode is distinct from 'synthetic'
    window each as (partition by session_id order by connected_at)
),
storm as (
    select session_id, mission_id, connected_at,
           count(*) filter (where anew) over each as number
    from opened
    window each as (partition by session_id order by connected_at)
)
select session_id,
       count(*) as opens,
       min(connected_at) as since,
       max(connected_at) as newest_at,
       case when count(*) < %(least)s or max(connected_at) < now() - interval '90 seconds' then 0
            else round(
                count(*) * 60
                / greatest(extract(epoch from max(connected_at) - min(connected_at)), 60), 1)
       end as opens_per_minute
from storm
group by session_id, number
order by opens_per_minute desc, opens desc
limit 20
"""
# Fewer opens of a session are somebody who reloads a page.
LEAST_OPENS: Final = 6
