"""What is read of the claims in tokens."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

# Those who signed in last: enough to see a hook that errs, few enough to call it for each.
PEOPLE: Final = 200
ACROSS_TENANTS: Final = frozenset({"governance", "analytics", "service"})
HOOK: Final = "select to_regprocedure(%(hook)s)::text as hook"
ISSUED: Final = """
select u.id::text as person,
       {hook}(jsonb_build_object('user_id', u.id, 'claims', '{{}}'::jsonb)) -> 'claims' as claims
from auth.users u
where u.last_sign_in_at is not null
order by u.last_sign_in_at desc
limit %(people)s
"""


@probe(unit="people")
def misshapen(systems: Systems) -> Reading:
    """Count people whose next token will not let them see their rows, of the last 200 signed in.

    The setting ``token_hook`` of ``database`` names the hook, with its arguments' types. Raises
    NoAnswerError when there is no such function or nobody has signed in.
    """
    database = systems.database()
    setting = systems.setting("database", "token_hook")
    hook = database.value(HOOK, hook=setting)
    if hook is None:
        message = f"The database has no function {setting!r}, which should write the claims."
        raise NoAnswerError(message)
    # PostgreSQL quoted the name; what follows its bracket are the types.
    name = hook.partition("(")[0].replace("%", "%%").replace("{", "{{").replace("}", "}}")
    people = database.rows(ISSUED.format(hook=name), people=PEOPLE)
    if not people:
        message = "Nobody has signed in, so there is no token to judge."
        raise NoAnswerError(message)
    rows = [
        {"Person": person["person"], "problem": problem}
        for person in people
        for problem in _problems(person["claims"] or {})
    ]
    return Reading(value=len({row["Person"] for row in rows}), detail=rows)


def _problems(claims: dict[str, Any]) -> Iterator[str]:
    roles, tenant = claims.get("roles", []), claims.get("tenant_id")
    if not isinstance(roles, list):
        yield f"roles is {type(roles).__name__}, not an array: every query ends in an error"
        roles = []
    if tenant is None and not ACROSS_TENANTS & set(map(str, roles)):
        where = [
            part
            for part in ("app_metadata", "user_metadata")
            if {"tenant_id", "tenantId"} & (claims.get(part) or {}).keys()
        ]
        hidden = f"; it is only in {where[0]}, which no policy reads" if where else ""
        yield f"tenant_id is missing at the top level{hidden}"
    if tenant is not None and not _is_uuid(tenant):
        yield "tenant_id is no UUID: every query ends in an error"


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False
