"""Alerts are named by the files that teams have: rules are read as YAML and not by their looks."""

import json

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.catalog.alert_names import read_alert_names

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
    "groups": [{"name": "g", "rules": [{"title": "Queue is deep", "condition": "A", "uid": "x"}]}],
}


@pytest.mark.parametrize("text", [PROMETHEUS, OPERATOR, f"---\n{PROMETHEUS}---\nx: 1\n"])
def test_rules_are_read_wherever_they_lie(write_file, text):
    """A name may hold blanks, brackets and slashes, and a label of that name is none."""
    assert read_alert_names(write_file("rules.yml", text)) == WANTED


def test_what_grafana_exports_is_read(write_file):
    """Its rules have titles."""
    assert read_alert_names(write_file("rules.json", json.dumps(GRAFANA))) == ["Queue is deep"]


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
    found = read_alert_names(write_file(name, text))
    assert found == ["Search cluster ILM errors", "Queue: deep (>80%)"]


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
        read_alert_names(write_file(name, text))
