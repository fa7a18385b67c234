"""What is read of the claims in tokens."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
       split_part(u.email, '@', 2) as domain,
       {hook}(jsonb_build_object('user_id', u.id, 'claims', '{{}}'::jsonb)) -> 'claims' as claims
from auth.users u
where u.last_sign_in_at is not null
order by u.last_sign_in_at desc
limit %(people)s
"""


TENANTS: Final = "select id::text as id from tenants"


@probe(unit="people")
def misshapen(systems: Systems) -> Reading:
    """Count people whose next token will not let them see their rows, of the last 200 signed in.

    So will one of a tenant that there is none of, or of the tenant of another company: people of
    one mail domain belong together where that domain is one tenant's alone.

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
    tenants = {row["id"] for row in database.rows(TENANTS)}
    homes = _homes(people)
    rows = [
        {"Person": person["person"], "problem": problem}
        for person in people
        for problem in (
            *_problems(person["claims"] or {}),
            *_elsewhere(person, tenants=tenants, homes=homes),
        )
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


def _homes(people: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return whose tenant each mail domain is, where it is that of one alone."""
    counted: dict[str, Counter[str]] = {}
    for person in people:
        tenant = (person["claims"] or {}).get("tenant_id")
        if isinstance(tenant, str) and person["domain"]:
            counted.setdefault(tenant, Counter())[person["domain"]] += 1
    main = {tenant: domains.most_common(1)[0][0] for tenant, domains in counted.items()}
    alone = Counter(main.values())
    return {domain: tenant for tenant, domain in main.items() if alone[domain] == 1}


def _elsewhere(
    person: Mapping[str, Any], *, tenants: set[str], homes: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with a tenant that is well-formed: it is none, or another company's."""
    tenant = (person["claims"] or {}).get("tenant_id")
    if not _is_uuid(tenant):
        return
    if tenant not in tenants:
        yield "tenant_id is of no tenant: no row is visible"
    home = homes.get(person["domain"])
    if home and home != tenant and tenant in homes.values():
        yield "tenant_id is that of another company: these people see its rows"


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False
