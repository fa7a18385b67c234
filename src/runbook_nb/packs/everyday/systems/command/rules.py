"""The commands that are known to read, each with what may follow its name."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from runbook_nb.packs.everyday.systems.command.rule import NOTHING, ReadingRule, rule

_PATTERN: Final = rule(
    short="cFEGPiIvwxohHnlLrsqz",
    valued="emABC",
    long="--count --fixed-strings --extended-regexp --perl-regexp --ignore-case --invert-match "
    "--word-regexp --line-regexp --only-matching --no-filename --with-filename --line-number "
    "--max-count --regexp --recursive --include --exclude --no-messages",
    # No line found is an answer.
    answers=(0, 1),
)

# Columns and properties that hold the variables of a process, and so its secrets.
_VARIABLES: Final = re.compile(r"environ", re.IGNORECASE)

RULES: Final[Mapping[str, ReadingRule]] = {
    "chronyc": rule(verbs="tracking sources sourcestats activity", short="nvac", operand=NOTHING),
    # Without its plus sign, a word sets the clock.
    "date": rule(short="uRI", long="--utc --rfc-3339 --iso-8601", operand=r"\+.*"),
    "df": rule(
        short="ahHiklmPT",
        valued="Btx",
        long="--all --block-size --human-readable --si --inodes --local --output --portability "
        "--print-type --total --type --exclude-type",
    ),
    "dig": rule(
        short="46",
        valued="tcpqx",
        operand=r"@?[\w.:-]+|\+(no)?(short|tcp|dnssec|trace|recurse|all|answer|stats|comments)"
        r"|\+(time|tries|timeout)=\d+",
    ),
    "du": rule(
        short="abcdhHklLmsSx0",
        valued="dBt",
        long="--all --apparent-size --bytes --total --max-depth --human-readable --summarize "
        "--one-file-system --inodes --threshold --time --exclude --block-size",
    ),
    "find": rule(
        short="LHP",
        long="-amin -atime -cmin -ctime -mmin -mtime -newer -newermt -name -iname -path -ipath "
        "-regex -iregex -type -size -maxdepth -mindepth -user -group -nouser -nogroup -perm -empty "
        "-links -xdev -mount -prune -print -print0 -printf -not -a -o -and -or -readable "
        "-writable -executable -daystart -true -false",
    ),
    "findmnt": rule(
        short="AacDefJklnPrRuvb",
        valued="oOtTSM",
        long="--all --json --noheadings --output --types --target --source --mountpoint --df --raw "
        "--bytes --list",
    ),
    "free": rule(short="bkmghltvw", long="--bytes --kibi --mebi --gibi --human --total --wide"),
    "getent": rule(verbs="ahosts ahostsv4 ahostsv6 hosts passwd group services networks protocols"),
    "git": rule(
        verbs="status log rev-parse describe ls-files rev-list shortlog",
        short="sbznuzt123456789",
        valued="nC",
        long="--porcelain --short --branch --untracked-files --oneline --format --pretty "
        "--since --until --after --before --author --grep --max-count --all --abbrev-ref "
        "--abbrev-commit --verify --is-inside-work-tree --show-toplevel --count --first-parent "
        "--merges --no-merges --tags --always --long --abbrev --no-decorate --date "
        "--modified --deleted --others --numbered --summary",
    ),
    "grep": _PATTERN,
    "head": rule(short="qvz", valued="nc", long="--lines --bytes --quiet --silent --verbose"),
    # A word would set the name.
    "hostname": rule(short="fsidAI", long="--fqdn --short --domain", operand=NOTHING),
    "id": rule(short="ugGnrz", long="--user --group --groups --name --real"),
    "ip": rule(
        short="jpsdo46",
        long="-json -pretty -stats -details -oneline -br -brief -4 -6",
        operand=NOTHING,
    ),
    "journalctl": rule(
        short="aklmqrx",
        valued="ubpSUgnot",
        long="--all --unit --user-unit --boot --list-boots --dmesg --priority --since --until "
        "--grep --case-sensitive --lines --output --output-fields --identifier --quiet --reverse "
        "--no-pager --no-hostname --utc --disk-usage --catalog --system --user --facility",
        operand=r"[A-Z_]+=.*|[\w@.:-]+|\d{4}-\d\d-\d\d.*",
    ),
    "ls": rule(
        short="1aAbBcdfFgGhHiIklLmnNopqQrRsStuUvxXZ",
        long="--all --almost-all --full-time --human-readable --inode --numeric-uid-gid "
        "--recursive --reverse --size --sort --time --time-style --directory",
    ),
    "lsblk": rule(
        short="abdDfiJlmnNOpPrSstT",
        valued="oIxe",
        long="--all --bytes --json --list --noheadings --output --nodeps --fs --paths",
    ),
    "lscpu": rule(
        short="aJxBy", valued="ep", long="--json --all --extended --parse", operand=NOTHING
    ),
    "nproc": rule(long="--all --ignore", operand=NOTHING),
    # No process found is an answer. Its twin that ends processes goes by another name.
    "pgrep": rule(
        short="claxfinov",
        valued="ugGPtsU",
        long="--count --list-name --list-full --full --exact --newest --oldest --euid --uid "
        "--group --parent --ignore-case --runstates",
        answers=(0, 1),
    ),
    # The word e without a dash would print the variables of other processes, with their secrets.
    "ps": rule(
        short="AaefFlLjNTwy",
        valued="CGgopqstUu",
        long="--pid --ppid --user --group --format --sort --no-headers --headers --forest --width",
        operand=r"aux(ww)?|ax(ww)?|\d[\d,]*",
        never=_VARIABLES,
        answers=(0, 1),
    ),
    # Its option -K ends connections, and -D writes a file.
    "ss": rule(
        short="46aeHilmnoOprstuwx",
        valued="f",
        long="--all --listening --numeric --tcp --udp --unix --raw --processes --extended --memory "
        "--info --summary --no-header --options --family --ipv4 --ipv6 --oneline --resolve",
        operand=r"state|exclude|[\w-]+|sport|dport|src|dst|and|or|not|[=!<>&|()]+|[\w.:*\[\]/-]+",
    ),
    "stat": rule(
        short="Lft", valued="c", long="--dereference --file-system --format --printf --terse"
    ),
    "systemctl": rule(
        verbs="is-active is-enabled is-failed is-system-running status show list-units list-timers "
        "list-sockets list-unit-files list-jobs list-dependencies get-default",
        short="alq",
        valued="pnot",
        long="--property --value --no-pager --state --type --all --failed --lines --output --full "
        "--plain --no-legend --quiet --user --system --reverse --recursive",
        never=_VARIABLES,
        # How a unit is comes in the exit code too.
        answers=(0, 1, 3, 4),
    ),
    "tail": rule(short="qvz", valued="nc", long="--lines --bytes --quiet --silent --verbose"),
    "timedatectl": rule(
        verbs="status show timesync-status show-timesync",
        valued="p",
        long="--property --value --all --no-pager",
        operand=NOTHING,
    ),
    "uname": rule(short="asnrvmpio", operand=NOTHING),
    "uptime": rule(short="ps", long="--pretty --since", operand=NOTHING),
    "vmstat": rule(short="afmnswdDt", valued="S", long="--stats --disk --wide", operand=NOTHING),
    "wc": rule(short="cmlLw", long="--bytes --chars --lines --words --max-line-length"),
    "who": rule(short="abdHlmpqrstuTw", long="--all --boot --count --users", operand=r"am|i"),
}
# What stands before the words of a command, so that it leaves everything as it is: git would write
# its index, and run the program that a folder's own settings name.
BEFORE: Final[Mapping[str, tuple[str, ...]]] = {
    "git": ("--no-optional-locks", "-c", "core.fsmonitor=false")
}
_IP_OBJECTS: Final = frozenset(
    {"addr", "address", "link", "neigh", "neighbour", "route", "rule", "maddress", "nexthop"}
)
_IP_SHOWS: Final = frozenset({"show", "list", "get"})


def refusal(words: Sequence[str]) -> str:
    """Say why a command is not known to read; empty if it is."""
    name, *rest = words or ("",)
    if name not in RULES:
        return f"{name!r} is none of the commands that are known to read: {', '.join(RULES)}"
    if name == "ip":
        return _ip(rest)
    if name == "git" and len(rest) > 1 and rest[0] == "-C":
        rest = rest[2:]
    return RULES[name].refusal(rest)


def _ip(words: Sequence[str]) -> str:
    """Say why words of ip are not known to read: it takes any part of a verb for the verb."""
    options = [word for word in words if word.startswith("-")]
    if why := RULES["ip"].refusal(options):
        return why
    objects = [word for word in words if not word.startswith("-")]
    if not objects or objects[0] not in _IP_OBJECTS:
        return f"it reads only {', '.join(sorted(_IP_OBJECTS))}"
    if len(objects) > 1 and objects[1] not in _IP_SHOWS:
        return f"{objects[1]!r} is none of its reading verbs: {', '.join(sorted(_IP_SHOWS))}"
    return ""
