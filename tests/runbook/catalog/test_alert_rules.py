"""Alerts are named by the files that teams have: rules are read as YAML and not by their looks."""

import json

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.catalog.alert_rules import read_alert_rules

PROMETHEUS = """\
groups:
- name: search
  rules:
  - alert: Search cluster ILM errors in production
    expr: ilm_errors{env="prod"} > 0
  - {alert: "CacheConnectionLimitApproaching(>80%)", expr: conn > 0.8}
  - record: not:a:rule
    expr: sum(x)
  - alert: VmOrContainer/ctDown
    expr: |
      # alert: NotOne
      up == 0
    labels: {alert: not_a_rule}
    annotations:
      summary: "alert: neither"
"""
WANTED = [
    "Search cluster ILM errors in production",
    "CacheConnectionLimitApproaching(>80%)",
    "VmOrContainer/ctDown",
]
OPERATOR = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n" + "\n".join(
    f"  {line}" for line in PROMETHEUS.splitlines()
)
GRAFANA = {
    "apiVersion": 1,
    "groups": [
        {
            "name": "g",
            "rules": [
                {
                    "title": "Queue is deep",
                    "condition": "B",
                    "data": [
                        {"refId": "A", "model": {"expr": "max(queue_depth)"}},
                        {"refId": "B", "model": {"type": "threshold"}},
                    ],
                }
            ],
        }
    ],
}
TEMPLATED = """\
groups:
{{- range $env := .Values.environments }}
- name: {{ $env }}
  rules:
  - alert: {{ $env }}QueueIsDeep
    expr: max(queue_depth{env="{{ $env }}"}) > 5
  - alert: QueueIsGone
    expr: absent(queue_depth)
{{- end }}
"""
API = {
    "status": "success",
    "data": {
        "groups": [
            {
                "rules": [
                    {"type": "recording", "name": "not:a:rule", "query": "sum(x)"},
                    {"type": "alerting", "name": "Queue is deep", "query": "queue_depth > 5"},
                ]
            }
        ]
    },
}


@pytest.mark.parametrize("text", [PROMETHEUS, OPERATOR, f"---\n{PROMETHEUS}---\nx: 1\n"])
def test_rules_are_read_wherever_they_lie(write_file, text):
    """A name may hold blanks, brackets and slashes, and a label of that name is none."""
    rules = read_alert_rules(write_file("rules.yml", text))

    assert [rule.name for rule in rules] == WANTED
    assert rules[0].expression == 'ilm_errors{env="prod"} > 0'


def test_what_grafana_exports_is_read(write_file):
    """Its rules have titles."""
    (rule,) = read_alert_rules(write_file("rules.json", json.dumps(GRAFANA)))

    assert (rule.name, rule.expression) == ("Queue is deep", "max(queue_depth)")


def test_what_prometheus_answers_is_read(write_file):
    """A rule that only records is no alert."""
    (rule,) = read_alert_rules(write_file("rules.json", json.dumps(API)))

    assert (rule.name, rule.expression) == ("Queue is deep", "queue_depth > 5")


def test_a_templated_name_is_told_from_a_name(write_file):
    """A chart's rules are no YAML as they stand, and one of their names is no alert's."""
    rules = read_alert_rules(write_file("rules.yml", TEMPLATED))

    assert [(rule.name, rule.is_templated) for rule in rules] == [
        ("{{ $env }}QueueIsDeep", True),
        ("QueueIsGone", False),
    ]
    assert rules[0].expression == 'max(queue_depth{env="{{ $env }}"}) > 5'


def test_a_folder_gives_the_rules_of_all_its_files(tmp_path):
    """Other documents that lie there are passed over."""
    (tmp_path / "a.yaml").write_text(PROMETHEUS)
    (tmp_path / "b.json").write_text(json.dumps(GRAFANA))
    (tmp_path / "compose.yml").write_text("services: {}\n")

    assert [rule.name for rule in read_alert_rules(tmp_path)] == [*WANTED, "Queue is deep"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.txt", "Search cluster ILM errors\n# a remark\nQueue: deep (>80%)\n"),
        ("names.json", '["Search cluster ILM errors", "Queue: deep (>80%)"]'),
        ("names.yml", "- Search cluster ILM errors\n- 'Queue: deep (>80%)'\n"),
    ],
)
def test_a_plain_list_holds_any_words(write_file, name, text):
    """One a line, or as a list."""
    found = read_alert_rules(write_file(name, text))
    assert [rule.name for rule in found] == ["Search cluster ILM errors", "Queue: deep (>80%)"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "7"),
        ("a.json", '{"rules": []}'),
        ("a.yml", "groups: []"),
        ("a.yml", "groups:\n- rules:\n  - alert: 7\n"),
        ("a.yml", "groups:\n- rules:\n  - alert: ''\n"),
        ("a.json", "[" * 50_000),
        ("a.txt", ""),
        ("a.txt", "x" * 1_000),
    ],
)
def test_what_names_no_alert_is_refused_with_its_file(write_file, name, text):
    """One clear error."""
    with pytest.raises(ParameterError, match=name):
        read_alert_rules(write_file(name, text))
