"""What one call of a program does: what only calls another one is looked through."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runbook_nb.authoring.commands.addresses import judge_curl, judge_raw, judge_wget
from runbook_nb.authoring.commands.clients import (
    SESSION,
    judge_mysql,
    judge_psql,
    judge_redis_cli,
    judge_sqlite,
)
from runbook_nb.authoring.commands.effect import READS, Judgement, changes, unknown, whole
from runbook_nb.authoring.commands.programs import CALLING, CHANGING, READING, Arguments, refusal
from runbook_nb.authoring.commands.shell import (
    Call,
    Script,
    assigned,
    read_script,
)
from runbook_nb.authoring.commands.texts import judge_awk, judge_sed

_DEEPEST: Final = 6  # calls within calls; nobody types more
_SHELLS: Final = ("bash", "sh", "zsh", "ksh", "dash", "ash")
_SYSTEM_FOLDERS: Final = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_ELSEWHERE_WORDS: Final = """
source . eval alias trap enable bind python python2 python3 perl ruby node php java parallel
strace screen tmux go irb ipython deno bun lua tclsh expect
"""
_ELSEWHERE: Final = frozenset(_ELSEWHERE_WORDS.split())
_IN_PLACE: Final = re.compile(r"-[a-zA-Z0]*i")
_SSH_SETTING: Final = re.compile(
    r"(?:StrictHostKeyChecking|ConnectTimeout|BatchMode|UserKnownHostsFile|LogLevel|User|Port|"
    r"ServerAlive\w+|IdentitiesOnly|IdentityFile|PasswordAuthentication|HostKeyAlgorithms)[= ]",
    re.IGNORECASE,
)
_FIND_CALLS: Final = ("-exec", "-execdir", "-ok", "-okdir")
_FIND_SIGNS: Final = ("!", "(", ")", ",")


def judge_shell(text: str, *, depth: int = 0) -> Judgement:
    """Return what a text of a shell does: all of its calls, and the files that it writes."""
    if depth > _DEEPEST:
        return unknown("it is nested too deeply")
    script = read_script(text)
    return whole([*script.others, *(_judge(call, script, depth) for call in script.calls)])


def judge_call(call: Call) -> Judgement:
    """Return what one call does by itself."""
    return _judge_call(call, 0)


def _judge(call: Call, script: Script, depth: int) -> Judgement:
    if call.dynamic:
        return unknown("a variable decides what runs")
    if call.words and call.words[0] in script.defined:
        return unknown(f"{call.words[0]} is a function of its own")
    return _judge_call(call, depth)


def _judge_call(call: Call, depth: int) -> Judgement:  # noqa: PLR0911 - one line for each kind
    if not call.words:
        return READS
    path, *words = call.words
    name = path.rpartition("/")[2] if path.startswith(_SYSTEM_FOLDERS) else path
    if name in ("perl", "ruby") and any(map(_IN_PLACE.match, words)):
        return changes(f"{name} -i")
    if name in _ELSEWHERE:
        return unknown(f"what {name} runs is not known")
    if name in _OWN:
        return _OWN[name](call, words, depth)
    if name in CALLING:
        return _called(name, call, words, depth)
    if name in CHANGING or name in READING:
        return _known(name, call, words)
    if name.startswith("/etc/init.d/"):
        return READS if words == ["status"] else changes(" ".join((name, *words[:1])))
    return changes(name) if name.startswith("mkfs.") else unknown(f"{name[:40]} is not known")


def _known(name: str, call: Call, words: Sequence[str]) -> Judgement:
    if found := refusal(name, words):
        return changes(found)
    if name in _ASKED and list(words) not in (["--help"], ["--version"], ["-V"]):
        return _ASKED[name](call, READING[name].arguments(words))
    return READS


def _called(name: str, call: Call, words: Sequence[str], depth: int) -> Judgement:
    """Return what a program does that only calls the one behind it."""
    program = CALLING[name]
    given = program.arguments(words)
    if option := program.refused_option(given):
        return unknown(f"{name} {option} is not known")
    if name == "ssh" and not all(map(_SSH_SETTING.match, given.values("-o"))):
        return unknown("an option of ssh may run a command")
    inner = list(given.operands[program.drop :])
    while program.settings and inner and _ASSIGNMENT.fullmatch(inner[0]):
        found = assigned(inner.pop(0).partition("=")[0])
        if not found.reads:
            return found
    if program.line and inner:
        return judge_shell(" ".join(inner), depth=depth + 1)
    if not inner and name in ("env", "exec"):
        return READS
    return _inner(call, inner, depth)


def _inner(call: Call, words: Sequence[str], depth: int) -> Judgement:
    """Return what the words of another call within one do."""
    if not words:
        return judge_shell(call.given, depth=depth + 1) if call.given else SESSION
    if "$" in words[0] or "`" in words[0]:
        return unknown("a variable decides what runs")
    if depth > _DEEPEST:
        return unknown("it is nested too deeply")
    return _judge_call(Call(words=tuple(words), given=call.given, piped=call.piped), depth + 1)


def _shell(call: Call, words: Sequence[str], depth: int) -> Judgement:
    at = next((n for n, word in enumerate(words) if re.fullmatch(r"-[lxeu]*c", word)), len(words))
    if len(words) > at + 1 and all(word.startswith("-") for word in words[:at]):
        return judge_shell(words[at + 1], depth=depth + 1)
    if named := [word for word in words if word not in ("-s", "-x", "-e", "-l", "-", "-i")]:
        return unknown(f"what {named[0][:40]} holds is not known")
    if call.given or not call.piped:
        return _inner(call, (), depth)
    return changes(f"{call.words[0]} runs what is piped into it")


def _su(call: Call, words: Sequence[str], depth: int) -> Judgement:
    at = next((n for n, word in enumerate(words) if word in ("-c", "--command")), len(words))
    if len(words) > at + 1:
        return judge_shell(words[at + 1], depth=depth + 1)
    return _inner(call, (), depth)


def _xargs(call: Call, words: Sequence[str], depth: int) -> Judgement:
    given = CALLING["xargs"].arguments(words)
    if not given.operands and not CALLING["xargs"].refused_option(given):
        return READS
    found = _called("xargs", Call(words=call.words), [*words, "ARGUMENT"], depth)
    if found.reads and given.has("-I", "-i", "--replace") and given.operands[0] in _SHELLS:
        return unknown("what is filled in decides what runs")
    return found


def _find(call: Call, words: Sequence[str], depth: int) -> Judgement:
    own: list[str] = []
    parts: list[Judgement] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word not in _FIND_CALLS:
            own.append(word)
            continue
        end = next((n for n, each in enumerate(rest) if each in (";", "+")), len(rest))
        parts.append(_inner(Call(words=call.words), rest[:end], depth))
        rest = rest[end + 1 :]
    bare = [word for word in own if word not in _FIND_SIGNS]
    refused = READING["find"].refusal(bare)
    return whole([changes(f"find {refused}") if refused else READS, *parts])


def _command(call: Call, words: Sequence[str], depth: int) -> Judgement:
    return READS if words and words[0] in ("-v", "-V") else _inner(call, words, depth)


def _nohup(call: Call, words: Sequence[str], depth: int) -> Judgement:
    return whole([_inner(call, words, depth), unknown("nohup may write nohup.out")])


def _kubectl(name: str) -> "_Judge":
    def judge(call: Call, words: Sequence[str], _depth: int) -> Judgement:
        found = _known(name, call, words)
        return judge_raw(tuple(words)) if found.reads else found

    return judge


def _sed(_call: Call, given: Arguments) -> Judgement:
    scripts = given.values("-e", "--expression") or [*given.operands[:1]]
    return whole(map(judge_sed, scripts))


def _awk(_call: Call, given: Arguments) -> Judgement:
    return judge_awk(given.operands[0]) if given.operands else unknown("awk has no program")


_Judge = Callable[[Call, Sequence[str], int], Judgement]
_OWN: Final[Mapping[str, _Judge]] = {
    **dict.fromkeys(_SHELLS, _shell),
    "su": _su,
    "runuser": _su,
    "xargs": _xargs,
    "find": _find,
    "command": _command,
    "nohup": _nohup,
    "kubectl": _kubectl("kubectl"),
    "oc": _kubectl("oc"),
}
_ASKED: Final[Mapping[str, Callable[[Call, Arguments], Judgement]]] = {
    **dict.fromkeys(("sed", "gsed"), _sed),
    **dict.fromkeys(("awk", "gawk", "mawk"), _awk),
    **dict.fromkeys(("mysql", "mariadb"), judge_mysql),
    **dict.fromkeys(("redis-cli", "valkey-cli"), judge_redis_cli),
    "curl": lambda _call, given: judge_curl(given),
    "wget": lambda _call, given: judge_wget(given),
    "psql": judge_psql,
    "sqlite3": judge_sqlite,
}
KNOWN: Final = frozenset({*CHANGING, *READING, *CALLING, *_OWN, *_ELSEWHERE} - {".", ":", "["})
