"""Checks from PromQL and SQL: what a query compares with is its limit, else its author says it."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.commands.queries import comparison, is_promql, is_single
from runbook_nb.authoring.commands.sql import read_query
from runbook_nb.authoring.importer.checks.draft import HIGHEST, CheckDraft, Name, Offers, drafted
from runbook_nb.authoring.importer.placeholders import parameter_name, placeholders
from runbook_nb.runbook.blanks import FILL_IN

# What is healthy where a rule fires beyond a sign, and which series decides of several.
_HEALTHY: Final = {
    ">": ("at_most", "max"),
    ">=": ("below", "max"),
    "<": ("at_least", "min"),
    "<=": ("above", "min"),
}
_METRIC: Final = re.compile(r"[a-zA-Z_:][\w:]*(?=\s*[{\[])|\b[a-z]\w*_\w+\b")
_RANGE: Final = re.compile(r"\]\s*(?:offset\s+\w+)?\s*$")


def check_of_promql(text: str, offers: Offers, *, title: str = "") -> CheckDraft | None:
    """Return the check of a query; with a comparison at its end the limit is that one."""
    query = _with_blanks(" ".join(_without_remarks(text).split()))
    if not is_promql(_without_remarks(text)) or _RANGE.search(query):
        return None
    compared = comparison(query)
    title = title or _named(query)
    if compared is None:
        return _asked(title, query, ("at_most", (HIGHEST,)), offers)
    if healthy := _HEALTHY.get(compared.sign):
        limit, chosen = healthy
        one = compared.query if is_single(compared.query) else f"{chosen}({compared.query})"
        return _asked(title, one, (limit, (compared.bound,)), offers)
    if not offers.package("prometheus", "series_count"):
        return None
    # A query that fires at a value answers with the series that have it.
    named = {"present": f"{FILL_IN} a query that always has series, such as up"}
    return drafted(
        title, "prometheus", "series_count", query, named=named, expect=("equals", (0, "series"))
    )


def check_of_alert(name: str, expression: str, offers: Offers) -> CheckDraft | None:
    """Return the check of what an alert's own rule asks, with the limit beyond which it fires."""
    return check_of_promql(expression, offers, title=name)


def check_of_sql(text: str, offers: Offers) -> CheckDraft | None:
    """Return the check of a single query: its value, or how many rows it has."""
    bound, query = _bound(text.strip().rstrip(";").strip())
    read = read_query(query)
    if read is None:
        return None
    named = {"parameters": bound} if bound else {}
    title = f"{'Value' if read.is_value else 'Rows'} of {read.table}" if read.table else "Query"
    probe, unit = ("value", ()) if read.is_value else ("count", ("rows",))
    if not offers.package("sql", probe):
        return None
    limit = ("at_most", (HIGHEST, *unit))
    return drafted(title, "sql", probe, query, named=named, expect=limit)


def _asked(
    title: str, query: str, expect: tuple[str, Sequence[object]], offers: Offers
) -> CheckDraft | None:
    if not offers.package("prometheus", "value"):
        return None
    return drafted(title, "prometheus", "value", query, expect=expect)


def _without_remarks(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))


def _with_blanks(query: str) -> str:
    """Return a query with a blank for each placeholder, since nothing can bind it there."""
    for shown, inner in placeholders(query):
        query = query.replace(shown, f"{FILL_IN} {inner}")
    return query


def _named(query: str) -> str:
    found = _METRIC.search(query)
    return f"Value of {found[0]}" if found else "Query of Prometheus"


def _bound(query: str) -> tuple[dict[str, Name], str]:
    """Return the parameters of a query, and the query with each bound by its name."""
    bound: dict[str, Name] = {}
    for shown, inner in placeholders(query):
        if name := parameter_name(inner):
            bound[name] = Name(name)
            mark = f"%({name})s"
            query = query.replace(f"'{shown}'", mark).replace(f'"{shown}"', mark)
            query = query.replace(shown, mark)
    return bound, query
