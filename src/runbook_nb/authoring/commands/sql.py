"""What SQL would do, by sqlglot: only queries whose every part and function is known to read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown, whole
from runbook_nb.authoring.commands.shell import STAND_IN

if TYPE_CHECKING:
    from sqlglot import exp

DIALECTS: Final = {
    "psql": "postgres",
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "tsql": "tsql",
    "plsql": "oracle",
    "sqlite": "sqlite",
}
# Where nobody says which, all of these must agree.
_GUESSED: Final = ("postgres", "mysql")
_CHANGING_WORDS: Final = """
ALTER ANALYZE CALL CHANGE CHECKPOINT CLUSTER COMMENT COPY CREATE DEALLOCATE DELETE DISCARD DO DROP
EXEC EXECUTE FLUSH GRANT HANDLER IMPORT INSERT INSTALL KILL LISTEN LOAD LOCK MERGE NOTIFY OPTIMIZE
PREPARE PURGE REASSIGN REFRESH REINDEX RENAME REPAIR REPLACE RESET REVOKE SECURITY SET SHUTDOWN
START STOP TRUNCATE UNINSTALL UNLOCK UPDATE VACUUM
"""
_CHANGING: Final = frozenset(_CHANGING_WORDS.split())
# They change something wherever they stand bare, also where the dialect takes them for a name.
_NEVER_BARE_WORDS: Final = """
ALTER CREATE DELETE DROP EXEC EXECUTE GRANT INSERT MERGE REVOKE TRUNCATE UPDATE
"""
_NEVER_BARE: Final = frozenset(_NEVER_BARE_WORDS.split())
_ACTING: Final = re.compile(
    r"pg_(?:terminate|cancel)_backend|pg_promote|pg_reload_conf|pg_rotate_logfile\w*|pg_switch_\w+|"
    r"pg_create_\w+|pg_drop_\w+|pg_replication_\w+|pg_logical_\w+|pg_(?:start|stop)_backup|"
    r"pg_backup_(?:start|stop)|pg_wal_replay_(?:pause|resume)|pg_stat_reset\w*|pg_notify|"
    r"pg_stat_statements_reset|pg_(?:try_)?advisory_\w+|pg_log_\w+|pg_file_\w+|dblink\w*|lo_\w+|"
    r"nextval|setval|set_config|schedule\w*|unschedule|alter_job|get_lock|release_lock|sp_\w+|xp_\w+",
    re.IGNORECASE,
)
# By their whole names: a function of a team's own may begin like one of these.
_READING: Final = re.compile(
    r"pg_(?:size_pretty|size_bytes|\w+_size|stat_get_\w+|stat_file|ls_\w+|is_in_recovery|"
    r"is_wal_replay_paused|last_\w+|current_(?:wal|logfile|snapshot)\w*|wal_lsn_diff|walfile_name|"
    r"blocking_pids|safe_snapshot_blocking_pids|postmaster_start_time|conf_load_time|backend_pid|"
    r"get_\w+|table_is_visible|relation_filepath|sleep|typeof|encoding_to_char|control_\w+|"
    r"show_all_settings|lock_status|indexam_has_property|xact_commit_timestamp)|"
    r"now|age|version|current_setting|obj_description|col_description|format_type|quote_\w+|"
    r"has_\w+_privilege|inet_(?:client|server)_(?:addr|port)|inet6?_(?:aton|ntoa)|"
    r"txid_current_snapshot|jsonb?_(?:agg|array_elements|array_elements_text|array_length|each|"
    r"each_text|extract|extract_path|extract_path_text|object_keys|object_agg|build_object|"
    r"build_array|typeof|to_record|to_recordset|pretty|strip_nulls|valid|unquote|path_query)|"
    r"to_(?:char|date|timestamp|number|jsonb?|hex|regclass|tsvector|tsquery)|"
    r"date_(?:trunc|part|bin|add|sub|format|diff)|clock_timestamp|statement_timestamp|"
    r"transaction_timestamp|width_bucket|array_(?:agg|length|append|cat|dims|lower|upper|position|"
    r"remove|to_string|to_json|ndims)|string_(?:agg|to_array)|"
    r"regexp_(?:match|matches|replace|split_to_array|split_to_table|count|like|substr)|"
    r"format|md5|sha\d+|encode|decode|host|family|masklen|network|sleep|database|schema|"
    r"connection_id|user|found_rows|row_count|sys_context|sum|avg|count|min|max|coalesce|nullif|"
    r"unnest|generate_(?:series|subscripts)|percentile_(?:cont|disc)|row_number|rank|dense_rank|"
    r"lag|lead|round|left|right|make_interval|justify_(?:days|hours|interval)|extract|isfinite|"
    r"cardinality|num_nulls|convert_tz|timestampdiff|unix_timestamp|from_unixtime|utc_timestamp|"
    r"group_concat|ifnull|if|isnull|values|last_insert_id|datetime|julianday|strftime|typeof|hex|"
    r"length|sqlite_version|total_changes",
    re.IGNORECASE,
)
_OWN_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema", "sys", "mysql"})
_EXPLAIN: Final = re.compile(
    r"^explain\s+(?:\((?P<options>[^()]*)\)\s*)?"
    r"(?P<words>(?:(?:analy[sz]e|verbose|extended|format\s*=?\s*\w+|query\s+plan(?:\s+for)?)\s+)*)"
    r"(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_NEUTRAL: Final = re.compile(
    r"(?:begin|start\s+transaction|commit|end|rollback|abort)(?:\s+(?:work|transaction))?"
    r"(?:\s+(?:read\s+(?:only|write)|isolation\s+level\s+[\w ]+))?|"
    r"use\s+\S+|set\s+(?:(?:local|session)\s+)?(?:statement_timeout|lock_timeout|search_path|"
    r"timezone|transaction|idle_in_transaction_session_timeout|names)\b[^;]*",
    re.IGNORECASE,
)
_SHOW: Final = re.compile(r"(?:show|desc|describe)\s+[^;]+", re.IGNORECASE | re.DOTALL)
_META: Final = re.compile(
    r"\\(?:d\w*|l|x|timing|conninfo|q|pset|echo|z|sf|sv|encoding|h|\?|c|connect|errverbose|s)"
    r"[+S]*(?:\s+[^|;\\]*)?"
)
_EXECUTED_COMMENT: Final = re.compile(r"/\*M?!")


def judge_sql(text: str, dialect: str = "") -> Judgement:
    """Return what statements do; without a dialect, what all the usual ones make of them."""
    if _EXECUTED_COMMENT.search(text):
        return unknown("MySQL runs what stands in its comment")
    lines = text.split("\n")
    meta = [line.strip() for line in lines if line.lstrip().startswith("\\")]
    parts = [READS if _META.fullmatch(line) else changes(line) for line in meta]
    rest = "\n".join(line for line in lines if not line.lstrip().startswith("\\"))
    rest = re.sub(r"\\[Gg]\s*;?\s*$", ";", rest, flags=re.MULTILINE)
    if rest.strip() or not parts:
        parts.append(_agreed(_named(rest), (dialect,) if dialect else _GUESSED))
    return whole(parts)


def _named(text: str) -> str:
    """Return SQL with a name in the place of each placeholder."""
    text = re.sub(r"<[A-Za-z][\w .-]{0,40}>|\{\{[^{}\n]*\}\}|\$\{\w+\}", STAND_IN, text)
    return re.sub(r"%\((\w+)\)s", r":\1", text)


def _agreed(text: str, dialects: Sequence[str]) -> Judgement:
    found = [each for name in dialects if (each := _in_dialect(text, name)) is not None]
    if not found:
        return _by_first_words(text)
    return whole(found)


def _by_first_words(text: str) -> Judgement:
    """Return what can be said of SQL that cannot be parsed, which is never that it reads."""
    for statement in text.split(";"):
        words = re.sub(r"--[^\n]*", "", statement).split()
        if words and words[0].upper() in _CHANGING:
            return changes(" ".join(words[:2]))
    if re.search(r"\binto\s+(?:outfile|dumpfile)\b|\\\w", text, re.IGNORECASE):
        return changes("into a file, or a command of the client")
    return unknown("it is no SQL that can be parsed")


def _in_dialect(text: str, dialect: str) -> Judgement | None:
    """Return what statements do in one dialect; None where it cannot read them."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(text, dialect=dialect)
        cuts = [token for token in tokens if token.token_type.name == "SEMICOLON"]
        starts = [0, *(token.end + 1 for token in cuts)]
        ends = [*(token.start for token in cuts), len(text)]
        statements = [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        return whole(_statement(each, dialect) for each in statements if _bare(each))
    except (SqlglotError, RecursionError, ValueError):
        return None


def _bare(statement: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL).strip()


def _statement(text: str, dialect: str) -> Judgement:
    bare = _bare(text)
    first = bare.split(maxsplit=1)[0].upper()
    if found := _EXPLAIN.match(bare):
        runs = re.search(r"analy[sz]e", f"{found['options'] or ''} {found['words']}", re.IGNORECASE)
        return _statement(found["rest"], dialect) if runs and found["rest"] else READS
    if _NEUTRAL.fullmatch(bare) or _SHOW.fullmatch(bare):
        return READS
    if first in _CHANGING:
        return changes(" ".join(bare.split()[:2]).lower())
    return _query(text, dialect)


def _query(text: str, dialect: str) -> Judgement:
    import sqlglot
    from sqlglot import exp

    if words := [word for word in _unquoted(text, dialect) if word.upper() in _NEVER_BARE]:
        return changes(words[0].lower())
    parsed = sqlglot.parse_one(text, dialect=dialect)
    if not isinstance(parsed, exp.Select | exp.SetOperation | exp.Values | exp.Subquery):
        return unknown("it is no query")
    return whole([READS, *_found_in(parsed)])


def _unquoted(text: str, dialect: str) -> Iterator[str]:
    import sqlglot

    for token in sqlglot.tokenize(text, dialect=dialect):
        if token.token_type.name not in ("STRING", "IDENTIFIER", "HEREDOC_STRING", "RAW_STRING"):
            yield token.text


def _found_in(parsed: "exp.Expression") -> Iterator[Judgement]:
    from sqlglot import exp

    for node in parsed.walk():
        if isinstance(
            node, exp.DML | exp.DDL | exp.Into | exp.Lock | exp.Command
        ) and not isinstance(node, exp.Query):
            yield changes(node.key)
        elif isinstance(node, exp.Anonymous):
            yield _function(node)


def _function(node: "exp.Anonymous") -> Judgement:
    from sqlglot import exp

    name = str(node.this)
    if _ACTING.fullmatch(name):
        return changes(f"{name}()".lower())
    parent = node.parent
    schema = parent.this.name.lower() if isinstance(parent, exp.Dot) else ""
    own = not schema or schema in _OWN_SCHEMAS
    if own and _READING.fullmatch(name):
        return READS
    return unknown(f"what {name}() does is not known")


@dataclass(frozen=True, kw_only=True)
class ReadQuery:
    """What a single query reads: its first table, and whether it answers with one value."""

    table: str
    is_value: bool


def read_query(text: str) -> ReadQuery | None:
    """Return what a single query of PostgreSQL or SQLite reads; None for anything else."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if not judge_sql(text, "postgres").reads:
        return None
    try:
        parsed = sqlglot.parse(text, dialect="postgres")
    except (SqlglotError, RecursionError):
        return None
    query = parsed[0] if len(parsed) == 1 else None
    if not isinstance(query, exp.Query):
        return None
    table = query.find(exp.Table)
    columns = query.selects
    one = isinstance(query, exp.Select) and len(columns) == 1 and not query.args.get("group")
    summed = one and any(isinstance(node, exp.AggFunc) for node in columns[0].walk())
    return ReadQuery(table=table.name if table else "", is_value=summed)


def is_sql(text: str) -> bool:
    """Tell whether a text without a language is SQL, by its first word and its shape."""
    first = re.match(
        r"\s*(?:--[^\n]*\n\s*)*(?:select\b.*|with\s+\w+\s+as\s*\(.*|insert\s+into\s.*|update\s+\S+\s+set\s.*|"
        r"delete\s+from\s.*|explain\s+(?:analyze\s+|\()?.*\b(?:select|update|delete|insert)\b.*|"
        r"alter\s+(?:table|system|role|database|user|index)\s.*|(?:create|drop)\s+(?:table|index|unique|role|user|database|view|"
        r"materialized|extension)\s.*|truncate\s+(?:table\s+)?\w+\s*;?\s*|vacuum\b.*|reindex\s.*|grant\s.*\bto\b.*|show\s+"
        r"(?:processlist|full|engine|slave|replica|master|variables|status|tables|databases|all|global|binary|create)\b.*)$",
        text,
        re.IGNORECASE | re.DOTALL,
    )
    return bool(first) and (
        not re.match(r"\s*(?:select|show)\b", text, re.IGNORECASE)
        or _in_dialect(_named(re.sub(r"\\[Gg]\s*;?\s*$", ";", text)), "postgres") is not None
        or _in_dialect(_named(text), "mysql") is not None
    )
