"""What queries of monitoring systems do, and which text without a language is one of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown

_TOKEN: Final = re.compile(
    r"\s+|#[^\n]*|(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`)|"
    r"(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?!\w))|"
    r"(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|\+?Inf\b|NaN\b)|"
    r"(?P<name>\$?[A-Za-z_:][\w:.]*|\$\{\w+\}|\{\{[^{}]*\}\}|<[A-Za-z][\w .-]*>|\$__\w+)|"
    r"(?P<sign>=~|!~|!=|==|>=|<=|\|=|\|~|[-+*/%^=<>(){}\[\],:@|!])",
    re.IGNORECASE,
)
_OPEN_ENDED_WORDS: Final = """
+ - * / % ^ = < > , == != =~ !~ >= <= | |= |~ @ !
"""
_OPEN_ENDED: Final = frozenset(_OPEN_ENDED_WORDS.split())
_COMPARING: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
_STRING: Final = r"(?:\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|`[^`]*`)"
_LABELS: Final = re.compile(
    rf"(?:(?:[\w.$]+|{_STRING})(?:=~|!~|!=|=){_STRING},?|{_STRING},?)*", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_AGGREGATED: Final = re.compile(r"\(*\s*(?:sum|avg|min|max|count|quantile|stddev|scalar)\s*\(")
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_FUNCTIONS_WORDS: Final = """
abs absent absent_over_time avg avg_over_time bottomk ceil changes clamp clamp_max clamp_min count
count_over_time count_values day_of_month day_of_week delta deriv exp floor group
histogram_quantile histogram_avg histogram_count histogram_sum holt_winters hour idelta increase
irate label_join label_replace last_over_time limitk ln log10 log2 max max_over_time min
min_over_time minute month predict_linear present_over_time quantile quantile_over_time rate
resets round scalar sgn sort sort_desc sqrt stddev stddev_over_time stdvar sum sum_over_time time
timestamp topk vector year bytes_rate bytes_over_time rate_counter
"""
_FUNCTIONS: Final = frozenset(_FUNCTIONS_WORDS.split())
_WORDS_WORDS: Final = """
and or unless by without on ignoring group_left group_right offset bool start end atan2
"""
_WORDS: Final = frozenset(_WORDS_WORDS.split())
_LOGQL: Final = re.compile(r"\{[^{}]*[=!]~?\s*[\"`][^{}]*\}\s*(?:$|\|[=~]?|!=|!~|\[)", re.DOTALL)
_SPL_CHANGES: Final = re.compile(
    r"\|\s*(delete|outputlookup|outputcsv|outputtext|collect|mcollect|meventcollect|sendemail|sendalert|"
    r"script|run|map|dump|summaryindex|stash|tscollect|savedsearch)\b",
    re.IGNORECASE,
)
_KQL_READS: Final = re.compile(r"^\s*\.show\b", re.IGNORECASE)
_INFLUX_READS: Final = re.compile(
    r"^\s*(?:select\b(?!.*\binto\b)|show\b|explain\b)", re.IGNORECASE | re.DOTALL
)


def judge_query(text: str, language: str) -> Judgement:
    """Return what a query does; PromQL, LogQL and TraceQL have no words that change anything."""
    if language == "promql":
        return READS if is_promql(text) else unknown("it is no PromQL that can be read")
    if language == "logql":
        return READS if is_logql(text) or is_promql(text) else unknown("it is no LogQL")
    return _JUDGES[language](text)


class Token(NamedTuple):
    """A word or a sign of a query, with the place where it begins."""

    kind: str
    word: str
    at: int


class Comparison(NamedTuple):
    """A query that answers only where it holds: what is read, the sign, and the number."""

    query: str
    sign: str
    bound: float


def comparison(text: str) -> Comparison | None:
    """Return a PromQL query that ends in a comparison with a number; None for any other.

    What is joined by ``and``, ``or`` or ``unless`` is none: its parts say nothing alone.
    """
    tokens, depth, found = _tokens(text), 0, []
    for token in tokens:
        if token.kind == "sign":
            depth += (token.word in _PAIRS.values()) - (token.word in _PAIRS)
        if depth == 0 and token.word.lower() in ("and", "or", "unless", "bool"):
            return None
        if depth == 0 and token.kind == "sign" and token.word in _COMPARING:
            found.append(token)
    if len(found) != 1:
        return None
    behind = text[found[0].at + len(found[0].word) :].strip()
    bound = _NUMBER.fullmatch(behind)
    query = text[: found[0].at].strip()
    if bound is None or not query:
        return None
    return Comparison(query=query, sign=found[0].word, bound=float(behind))


def is_single(query: str) -> bool:
    """Tell whether a PromQL query answers with one series: an aggregation without labels."""
    return bool(_AGGREGATED.match(query)) and not re.search(r"\b(?:by|without)\s*\(", query)


def is_promql(text: str) -> bool:
    """Tell whether a text is one PromQL expression, by its words and brackets.

    Bare words are taken only beside a comparison, braces, a range or a function, so that prose is
    none.
    """
    tokens = _tokens(text)
    if not tokens or not _is_balanced(tokens) or tokens[-1][1] in _OPEN_ENDED:
        return False
    if not all(map(_may_follow, tokens, tokens[1:])) or not _chooses_by_labels(tokens):
        return False
    return _names_a_metric(tokens)


def _is_balanced(tokens: Sequence[Token]) -> bool:
    opened: list[str] = []
    for kind, word, _ in tokens:
        if kind == "sign" and word in _PAIRS.values():
            opened.append(word)
        elif kind == "sign" and word in _PAIRS and (not opened or opened.pop() != _PAIRS[word]):
            return False
    return not opened


def _chooses_by_labels(tokens: Sequence[Token]) -> bool:
    """Tell whether braces hold nothing but labels with what they must be."""
    text = "".join("x" if token.word.startswith("{{") else token.word for token in tokens)
    inside = re.findall(r"\{((?:[^{}\"'`]|\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|`[^`]*`)*)\}", text)
    return all(map(_LABELS.fullmatch, inside))


def _names_a_metric(tokens: Sequence[Token]) -> bool:
    """Tell whether something in an expression shows that it is one, and no prose or arithmetic."""
    pairs = list(pairwise(tokens))
    called = any(name[1].lower() in _FUNCTIONS and sign[1] in "({" for name, sign in pairs)
    chosen = any(name[0] == "name" and sign[1] == "{" for name, sign in pairs)
    ranged = any(sign[1] == "[" and inner[0] == "duration" for sign, inner in pairs)
    bare = tokens[0][0] == "name" and ("_" in tokens[0][1] or tokens[0][1] == "up")
    compared = any(kind == "sign" and word in _COMPARING for kind, word, _ in tokens)
    return called or chosen or ranged or (bare and compared)


def is_logql(text: str) -> bool:
    """Tell whether a text is LogQL: a selector of streams, alone or with a pipeline."""
    stripped = text.strip()
    return stripped.startswith("{") and bool(_LOGQL.match(stripped))


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            return []
        if match.lastgroup:
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    return found


def _may_follow(before: Token, after: Token) -> bool:
    """Tell whether a value may stand behind another one: only with a word of the language."""
    values = ("name", "number", "string")
    if before[0] in values and after[0] in values:
        return before[1].lower() in _WORDS or after[1].lower() in _WORDS
    return True


def _spl(text: str) -> Judgement:
    found = _SPL_CHANGES.search(text)
    return changes(f"| {found[1]}") if found else READS


def _kql(text: str) -> Judgement:
    commands = [line for line in text.split("\n") if line.lstrip().startswith(".")]
    change = next((line for line in commands if not _KQL_READS.match(line)), "")
    return changes(" ".join(change.split()[:2])) if change else READS


def _influxql(text: str) -> Judgement:
    statements = [each for each in text.split(";") if each.strip()]
    change = next((each for each in statements if not _INFLUX_READS.match(each)), "")
    return changes(" ".join(change.split()[:2])) if change else READS


def _flux(text: str) -> Judgement:
    found = re.search(r"\b(?:to|experimental\.to|http\.post|wideTo|\w+\.to)\s*\(", text)
    return changes(found[0]) if found else READS


def _no_words_that_change(_text: str) -> Judgement:
    return READS


_JUDGES: Final[Mapping[str, Callable[[str], Judgement]]] = {
    "spl": _spl,
    "splunk": _spl,
    "kql": _kql,
    "kusto": _kql,
    "influxql": _influxql,
    "flux": _flux,
    "traceql": _no_words_that_change,
}
LANGUAGES: Final = frozenset({"promql", "logql", *_JUDGES})
