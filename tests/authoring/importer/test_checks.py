"""Commands that read become checks of the packs in use, each with what its author must say."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_nb.authoring.importer import Imported, draft, parse_source
from runbook_nb.authoring.importer.checks import Offers, check_of_alert, checks_of
from runbook_nb.authoring.importer.commands import commands
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock
from runbook_nb.authoring.lint.call_registry import CallRegistry
from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog.alert_rules import AlertRule
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.executable import demand_verbs_only
from runbook_nb.runbook.runbook import Runbook

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
HIGHEST = '"Fill in: the highest value that is healthy"'


@pytest.fixture(scope="module")
def offers() -> Offers:
    """The probes of the packs that are installed."""
    return Offers()


def calls(offers: Offers, language: str, *lines: str) -> list[str]:
    """Return each check's call with its limit, of the one command in a block."""
    block = SourceBlock(kind=BlockKind.CODE, line=1, lines=lines, language=language)
    (command,) = commands(block)
    return [f"{check.call} {check.expect}" for check in checks_of(command, offers).checks]


@pytest.mark.parametrize(
    ("language", "line", "call"),
    [
        ("promql", "sum(x_total)", f'prometheus.value("sum(x_total)") at_most({HIGHEST})'),
        ("promql", "sum(x_total) > 5", 'prometheus.value("sum(x_total)") at_most(5)'),
        ("promql", "x_total >= 5", 'prometheus.value("max(x_total)") below(5)'),
        ("promql", "free_bytes < 1e3", 'prometheus.value("min(free_bytes)") at_least(1000)'),
        (
            "promql",
            "up == 0",
            (
                'prometheus.series_count("up == 0", present="Fill in: a query that always has '
                'series, such as up") equals(0, "series")'
            ),
        ),
        (
            "promql",
            'x_total{job="$job"}',
            'prometheus.value("x_total{job=\\"Fill in: job\\"}") ' + f"at_most({HIGHEST})",
        ),
        (
            "bash",
            "kubectl get nodes -o wide",
            f'kubectl.count(("get", "nodes")) at_most({HIGHEST}, "objects")',
        ),
        (
            "bash",
            "oc -n <ns> get pods",
            (
                'kubectl.count(("get", "pods", "-n", ns), where="status.phase", '
                'none_of=("Running", "Succeeded")) equals(0, "objects")'
            ),
        ),
        (
            "bash",
            "kubectl get deploy/web -o jsonpath='{.status.readyReplicas}'",
            (
                'kubectl.value(("get", "deploy/web"), "status.readyReplicas") '
                'one_of("Fill in: the values that are healthy")'
            ),
        ),
        (
            "sql",
            "select max(lag) from replicas where host = '<host>';",
            (
                'sql.value("select max(lag) from replicas where host = %(host)s", '
                f'parameters={{"host": host}}) at_most({HIGHEST})'
            ),
        ),
        (
            "bash",
            'psql -h db -c "select id from jobs"',
            f'sql.count("select id from jobs") at_most({HIGHEST}, "rows")',
        ),
        (
            "bash",
            "curl -sf https://shop.example.com/healthz",
            'http.status("shop", "/healthz") equals(200)',
        ),
        (
            "bash",
            "curl -G http://p:9090/api/v1/query --data-urlencode 'query=sum(x_total) > 1'",
            'prometheus.value("sum(x_total)") at_most(1)',
        ),
        (
            "bash",
            "kubectl describe pod [pod-name] -n NAME_SPACE",
            (
                'kubectl.value(("get", "pod", pod_name, "-n", "Fill in: NAME_SPACE"), '
                '"Fill in: the field, such as status.readyReplicas") '
                'one_of("Fill in: the values that are healthy")'
            ),
        ),
        (
            "bash",
            "service queue status",
            'command.exit_code(("systemctl", "is-active", "queue")) equals(0)',
        ),
        (
            "bash",
            "sudo systemctl status nginx",
            'command.exit_code(("systemctl", "is-active", "nginx")) equals(0)',
        ),
    ],
)
def test_a_reading_command_becomes_a_check(offers, language: str, line: str, call: str):
    """With the limit that it compares with, or a blank for one."""
    assert calls(offers, language, line) == [call]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("bash", "kubectl delete pod web-0"),
        ("bash", "kubectl get secret web -o yaml"),
        ("bash", "kubectl get pods -n ${PREFIX}-shop"),
        ("bash", "for n in a b; do kubectl get pods -n $n; done"),
        ("bash", "curl -X POST https://shop.example.com/health"),
        ("bash", "curl https://shop.example.com/orders"),
        ("sql", "delete from jobs"),
        ("mysql", "select count(*) from jobs"),
        ("promql", "x_total[5m]"),
        ("bash", "cat /etc/hosts"),
    ],
)
def test_what_no_probe_can_ask_stays_a_manual_step(offers, language: str, line: str):
    """Neither a change, nor a secret, nor a word that is made up as it runs."""
    assert calls(offers, language, line) == []


def test_a_project_without_the_pack_gets_no_checks():
    """The engine names no pack: what is offered decides."""
    assert calls(Offers(CallRegistry(packs=[])), "bash", "kubectl get nodes") == []


def test_a_comparison_with_several_parts_has_no_limit(offers):
    """What is joined by a word says nothing alone."""
    check = check_of_alert("A", "errors_total > 5 and on() up == 1", offers)

    assert check
    assert check.expect == f"at_most({HIGHEST})"


def test_the_rule_of_an_alert_gives_its_page_a_check(runbooks: Path):
    """The limit is the rule's own; a rule that the page does not name gives none."""
    source = parse_source("queue.md", b"# Queue\n\nQueueIsDeep fires.\n\n## Fix\n\nWait.\n")
    rules = [
        AlertRule(name="QueueIsDeep", expression="max(queue_depth) > 7"),
        AlertRule(name="DiskIsFull", expression="disk_free < 1"),
    ]

    drafted = draft(source, runbooks=runbooks, now=NOW, rules=rules)

    (check,) = drafted.checks
    assert (check.call, check.expect) == ('prometheus.value("max(queue_depth)")', "at_most(7)")
    assert "### Check 1: QueueIsDeep" in drafted.text


def test_a_draft_with_a_check_does_not_run_before_its_author_has_read_it(
    take_in: Callable[..., Imported],
):
    """The original words stand beside the check, and a command that is not all asked is kept."""
    written = take_in(
        "# T\n\n## Diagnosis\n\n```bash\nkubectl get nodes\nkubectl logs web\n```\n"
        "\n## Mitigation\n\n```bash\nkubectl delete pod web\nkubectl get pods\n```\n"
    )

    book = Runbook.read(written.path)
    assert [step.verb for step in book.steps] == ["check", "ask", "check", "decide", "ask"]
    assert "kubectl get nodes\nkubectl logs web" in written.draft.text
    with pytest.raises(RunbookFormatError, match="waits for its author"):
        demand_verbs_only(Document.read(written.path.with_suffix(".ipynb")))
