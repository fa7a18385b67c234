"""People who sign in: a few of each tenant, and those who look across tenants."""

from datetime import datetime
from typing import Final

import psycopg

# An id drawn from the address is the same in every lab.
_PEOPLE: Final = """
INSERT INTO auth.users (id, email, raw_app_meta_data, raw_user_meta_data, created_at,
                        last_sign_in_at)
SELECT md5(email)::uuid, email, claims, jsonb_build_object('name', initcap(name)),
       %(now)s - interval '200 days',
       %(now)s - place * interval '37 minutes'
  FROM (SELECT person.name, person.name || '@' || tenant.slug || '.example' AS email,
               jsonb_build_object('tenant_id', tenant.id, 'roles', '[]'::jsonb) AS claims,
               row_number() OVER (ORDER BY tenant.slug, person.name) AS place
          FROM public.tenants AS tenant
               CROSS JOIN unnest('{amara,bela,chen,dara}'::text[]) AS person (name)
        UNION ALL
        SELECT name, name || '@company.example',
               jsonb_build_object('roles', jsonb_build_array(name)), 20
          FROM unnest('{governance,analytics}'::text[]) AS person (name)) AS people
"""
_SESSIONS: Final = """
INSERT INTO auth.sessions (id, user_id, created_at, refreshed_at)
SELECT md5('session of ' || email)::uuid, id, last_sign_in_at, last_sign_in_at + interval '1 minute'
  FROM auth.users
"""


def write_users(connection: psycopg.Connection, *, now: datetime) -> None:
    """Write the people who sign in, with the claims an administrator gave them, each signed in."""
    connection.execute(_PEOPLE.encode(), {"now": now})
    connection.execute(_SESSIONS)
