"""Faults of inspections, each with the shapes that it also comes in."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.inspection_causes import (
    held,
    limit_low,
    locked,
    lost,
    pool_small,
    repeated,
    slow_partner,
    slow_way,
    wide,
    written,
)
from runbook_nb.packs.control_plane.lab.faults.inspection_hands import heal

NORTH: Final = "northwind"
FAULTS: Final = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("inspection_partner_slow", "A provider takes 9 s for each page", slow_partner()),
        ("inspection_wide", "An owner asks for 50,000 rows of a huge account", wide()),
        ("inspection_repeated", "A page asks twelve times for the same", repeated()),
        ("inspection_limit_low", "A release gives inspections half a second", limit_low()),
        ("inspection_pool_small", "A release has one worker for all", pool_small()),
        ("inspection_locked", "A report holds the table of checks", locked()),
        ("inspection_lost", "A restart loses what is inspected", lost()),
        ("inspection_held", "Toolkits were held 25 minutes ago", held()),
        ("inspection_way_slow", "Calls take 9 s more on their way", slow_way()),
        ("inspection_writes", "A release writes while it inspects", written()),
        (
            "inspection_partner_slow.one",
            "The provider is slow for one mission alone",
            slow_partner(count=1),
        ),
        (
            "inspection_partner_slow.other_tenant",
            "The other tenant's provider is slow",
            slow_partner(tenant=NORTH, count=2),
        ),
        (
            "inspection_partner_slow.little",
            "Each page takes 6 s, little above what is allowed",
            slow_partner(page_s=6.0, count=3),
        ),
        ("inspection_wide.two", "Two owners ask for 50,000 rows", wide(count=2)),
        ("inspection_wide.less", "An owner asks for 6,000 rows", wide(rows=6_000)),
        ("inspection_wide.other_tenant", "The other tenant asks for it", wide(tenant=NORTH)),
        ("inspection_repeated.two", "Two pages ask for theirs", repeated(times=6, count=2)),
        (
            "inspection_repeated.twice",
            "Asked for twice, of many missions",
            repeated(times=2, count=4, page_s=1.7),
        ),
        ("inspection_repeated.other_tenant", "The other tenant's page", repeated(tenant=NORTH)),
        ("inspection_limit_low.one", "One mission meets the limit", limit_low(count=1)),
        ("inspection_limit_low.second", "The limit is one second", limit_low(limit_s="1")),
        ("inspection_limit_low.many", "Four missions meet the limit", limit_low(count=4)),
        ("inspection_pool_small.many", "One worker for four missions", pool_small(count=4)),
        (
            "inspection_pool_small.two_workers",
            "Two workers for three missions",
            pool_small(workers="2", count=3, page_s=1.6),
        ),
        (
            "inspection_pool_small.one",
            "One worker for one mission",
            pool_small(count=1, page_s=1.9),
        ),
        ("inspection_locked.one", "One mission waits for the table", locked(count=1)),
        ("inspection_locked.many", "Four missions wait for the table", locked(count=4)),
        ("inspection_locked.other_tenant", "The other tenant waits", locked(tenant=NORTH)),
        ("inspection_lost.one", "One mission lost its inspections", lost(count=1)),
        ("inspection_lost.hours_ago", "They were lost two hours ago", lost(ago_s=7_200)),
        ("inspection_lost.other_tenant", "The other tenant lost them", lost(tenant=NORTH)),
        ("inspection_held.one", "One mission is on hold", held(count=1)),
        ("inspection_held.days_ago", "They were held two days ago", held(ago="2 days")),
        ("inspection_held.other_tenant", "The other tenant is on hold", held(tenant=NORTH)),
        ("inspection_way_slow.one", "One mission's calls are slow", slow_way(count=1)),
        (
            "inspection_way_slow.little",
            "Calls take 6 s more, little above what is allowed",
            slow_way(delay_s=6.0),
        ),
        ("inspection_way_slow.other_tenant", "The other tenant's way", slow_way(tenant=NORTH)),
        ("inspection_writes.once", "It wrote a single time", written(calls=1)),
        ("inspection_writes.untold", "Its rows say that it read", written(told=False)),
        ("inspection_writes.other_tenant", "It wrote at the other tenant's", written(tenant=NORTH)),
    )
)
