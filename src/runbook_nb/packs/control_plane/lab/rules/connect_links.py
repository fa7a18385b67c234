"""Alert rules for Connect Links, with the thresholds of the platform."""

from typing import Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql

RULES: Final = (
    AlertRule(
        name="ConnectLinkStuck",
        severity="warning",
        summary="Connect Links of missions in Prepare are initiated for more than 30 minutes.",
        fires=sql("""
            select count(*) >= 3
            from mission_connections c
            join missions m on m.id = c.mission_id
             and m.status not in ('completed', 'archived')
             and m.current_stage in ('Home', 'Define', 'Prepare', 'Plan')
            where c.status = 'initiated'
              and c.requested_at between now() - interval '24 hours'
                                     and now() - interval '30 minutes'
              and not exists (
                  select from mission_connections later
                  where later.mission_id = c.mission_id
                    and later.toolkit_slug = c.toolkit_slug
                    and later.requested_at > c.requested_at)
            """),
        service="composio",
    ),
    AlertRule(
        name="ConnectionFailuresHigh",
        severity="critical",
        summary="More than 5 % of the connections of a toolkit that were asked for today failed.",
        fires=sql("""
            select coalesce(bool_or(failed >= 3 and failed > 0.05 * asked), false)
            from (
                select s.toolkit_slug, count(*) as asked,
                       count(*) filter (
                           where s.created_at < now() - interval '10 minutes'
                             and not exists (
                                 select from mission_connections c
                                 where c.mission_id = s.mission_id
                                   and c.toolkit_slug = s.toolkit_slug
                                   and (c.approved_at is not null
                                        or c.requested_at > now() - interval '10 minutes'))
                       ) as failed
                from toolkit_selections s
                join missions m on m.id = s.mission_id
                 and m.status not in ('completed', 'archived')
                where s.created_at > now() - interval '24 hours'
                  and s.metadata ->> 'auth_required' = 'true'
                group by s.toolkit_slug
            ) as toolkit
            """),
        service="composio",
    ),
)
