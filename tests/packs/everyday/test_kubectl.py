"""kubectl and oc, by a stand-in that gives recorded answers and keeps what it was called with."""

import json
import os
import sys

import pytest

from runbook_nb.errors import (
    NoAnswerError,
    ParameterError,
    SettingMissingError,
    WriteRefusedError,
)
from runbook_nb.packs.everyday.systems import kubectl

# As kubectl 1.32 prints them, shortened.
PODS = {
    "apiVersion": "v1",
    "kind": "List",
    "metadata": {"resourceVersion": ""},
    "items": [
        {"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"},
         "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
        {"kind": "Pod", "metadata": {"name": "web-2", "namespace": "shop"},
         "status": {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]}},
        {"kind": "Pod", "metadata": {"name": "job-1", "namespace": "shop"},
         "status": {"phase": "Succeeded"}},
    ],
}  # fmt: skip
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"replicas": 3},
    "status": {"readyReplicas": 2, "conditions": [{"type": "Available", "status": "True"}]},
}
EMPTY = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": []}
PART = {**PODS, "metadata": {"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEi"}}
NOT_FOUND = 'Error from server (NotFound): deployments.apps "wep" not found'
STAND_IN = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv, dict(os.environ)]) + "\\n")
code, text, errors = json.loads(open({answer!r}).read())
sys.stdout.write(text)
sys.stderr.write(errors)
sys.exit(code)
"""


class Cluster:
    """The stand-in's answer, and what it was called with."""

    def __init__(self, folder):
        self.log, self._answer = folder / "log", folder / "answer.json"
        for program in ("kubectl", "oc"):
            path = folder / program
            path.write_text(
                STAND_IN.format(python=sys.executable, log=str(self.log), answer=str(self._answer)),
                encoding="utf-8",
            )
            path.chmod(0o755)

    def answers(self, document="", *, code=0, errors=""):
        text = document if isinstance(document, str) else json.dumps(document)
        self._answer.write_text(json.dumps([code, text, errors]), encoding="utf-8")

    @property
    def calls(self):
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Cluster(tmp_path)


@pytest.fixture
def ours(staging):
    return staging(kubectl={"context": "staging-eu"})


def test_a_field_of_an_object(cluster, ours):
    """As JSON, of the cluster that the settings name."""
    cluster.answers(DEPLOYMENT)
    words = ("get", "deployment/web", "-n", "shop")

    assert ours.value(kubectl.value(words, "status.readyReplicas", unit="pods")) == 2
    assert ours.value(kubectl.value(words, "status.conditions[type=Available].status")) == "True"
    called = cluster.calls[0][0][1:]
    assert called == [
        *words,
        "--output=json",
        "--context=staging-eu",
        "--request-timeout=8s",
    ]
    assert ours.asked[0].startswith("kubectl get deployment/web -n shop --output=json")
    assert ours.source == "staging kubectl"


def test_objects_are_counted_by_a_field(cluster, ours):
    """The detail names those that were counted."""
    cluster.answers(PODS)
    words = ("get", "pods", "-n", "shop", "-l", "app=web")

    assert ours.value(kubectl.count(words)) == 3
    assert ours.value(kubectl.count(words, where="status.phase", one_of=("Running",))) == 1
    healthy = ("Running", "Succeeded")
    reading = ours.read(kubectl.count(words, where="status.phase", none_of=healthy))
    assert reading.value == 1
    assert reading.detail == {
        "of": 3,
        "objects": [{"object": "shop/web-2", "status.phase": "Pending"}],
    }


def test_an_object_without_the_field_has_none_of_the_values(cluster, ours):
    """It is counted by none_of, and never by one_of."""
    cluster.answers(PODS)
    ready = "status.conditions[type=Ready].status"
    words = ("get", "pods")

    assert ours.value(kubectl.count(words, where=ready, one_of=("True",))) == 1
    assert ours.value(kubectl.count(words, where=ready, none_of=("True",))) == 2


def test_an_empty_list_counts_zero(cluster, ours):
    """The cluster answered, so this is known."""
    cluster.answers(EMPTY)

    assert ours.value(kubectl.count(("get", "pods", "-A"))) == 0


@pytest.mark.parametrize(
    ("document", "errors", "reason"),
    [
        ("", NOT_FOUND, "exit code 1: .*NotFound.*wep.*not found"),
        ("", "Unable to connect to the server: net/http: timeout", "Unable to connect"),
        ("", "", "not JSON"),
        ("NAME READY\nweb 1/1", "", "not JSON. It begins: 'NAME READY"),
        (PART, "", "a part of the list only"),
        (DEPLOYMENT, "", "one object and no list"),
    ],
)
def test_what_is_no_whole_answer_is_unknown(cluster, ours, document, errors, reason):
    """In the program's own words."""
    cluster.answers(document, code=int(bool(errors)), errors=errors)

    with pytest.raises(NoAnswerError, match=reason):
        ours.read(kubectl.count(("get", "deployments")))


@pytest.mark.parametrize(
    "words",
    [
        ("delete", "pod", "web-1"),
        ("apply", "-f", "x.yaml"),
        ("scale", "deployment/web", "--replicas=0"),
        ("exec", "web-1", "--", "true"),
        ("rollout", "restart", "deployment/web"),
        ("-n", "shop", "delete", "pods"),
        ("get", "pods", "--watch"),
        ("get", "pods", "-w"),
        ("get", "pods", "-Aw"),
        ("get", "-f", "https://elsewhere.example.com/x.yaml"),
        ("get", "-k", "/srv"),
        ("get", "pods", "-o", "yaml"),
        ("get", "pods", "--context=production"),
        ("get", "pods", "--kubeconfig", "/root/admin"),
        ("get", "pods", "--as=admin"),
        ("get", "pods", "--server=https://elsewhere.example.com"),
        ("get", "pods", "--profile-output=/etc/passwd"),
        ("get", "--raw=/api/v1/secrets"),
        ("get", "pods", "-n"),
        ("get", "secrets"),
        ("get", "pods,secret/token"),
        ("get", "secrets.v1", "token"),
        ("get", "pod/web", "Secret/token"),
        ("get", "-n", "shop", "secret", "token"),
        (),
    ],
)
def test_what_may_write_or_leads_elsewhere_is_refused_before_a_process_starts(cluster, ours, words):
    """Nothing was called."""
    cluster.answers(PODS)

    with pytest.raises(WriteRefusedError, match="Probes only read"):
        ours.read(kubectl.count(words))
    assert cluster.calls == []
    assert ours.asked == []


def test_a_line_is_no_words(cluster, ours):
    """No shell sees it, so nothing would part it."""
    with pytest.raises(ParameterError, match=r"such as \('get', 'pods'\)"):
        ours.read(kubectl.count("get pods"))


def test_oc_by_setting(cluster, staging):
    """The same words, another program."""
    cluster.answers(PODS)
    openshift = staging(
        kubectl={"program": "oc", "context": "staging-eu", "kubeconfig": "/srv/reading"}
    )

    assert openshift.value(kubectl.count(("get", "routes"))) == 3
    called = cluster.calls[0][0]
    assert called[0].endswith("/oc")
    assert "--kubeconfig=/srv/reading" in called


def test_another_program_is_no_setting(cluster, staging):
    """It would be run with words that only kubectl is known to read with."""
    with pytest.raises(SettingMissingError, match="kubectl or oc"):
        staging(kubectl={"program": "sh", "context": "x"}).read(kubectl.count(("get", "pods")))


def test_without_a_context_no_cluster_is_asked(cluster, staging):
    """The responder's own one may be another environment's."""
    cluster.answers(PODS)

    with pytest.raises(SettingMissingError, match="'context' of 'kubectl'"):
        staging().read(kubectl.count(("get", "pods")))
    assert cluster.calls == []


def test_no_secret_reaches_the_program(cluster, staging, monkeypatch):
    """But where its login is, and what the setting names."""
    monkeypatch.setenv("ORDERS_WRITER", "postgresql://writer:correct-horse@h/d")
    monkeypatch.setenv("AWS_PROFILE", "reading")
    monkeypatch.setenv("KUBECONFIG", "/srv/kubeconfig")
    cluster.answers(PODS)
    ours = staging(
        orders={"writer": "env:ORDERS_WRITER"},
        kubectl={"context": "x", "variables": ["AWS_PROFILE"]},
    )

    ours.read(kubectl.count(("get", "pods")))

    variables = cluster.calls[0][1]
    # What the interpreter of the stand-in may add is its own.
    assert set(variables) - {"LC_CTYPE"} <= {"PATH", "HOME", "LANG", "KUBECONFIG", "AWS_PROFILE"}
    assert variables["KUBECONFIG"] == "/srv/kubeconfig"
    assert variables["AWS_PROFILE"] == "reading"


def test_a_field_goes_with_the_values_to_count():
    """One without the other is a mistake of the author's."""
    for more in ({"where": "status.phase"}, {"one_of": ("Running",)}):
        with pytest.raises(ParameterError, match="together"):
            kubectl.count(("get", "pods"), **more).run(None, ("get", "pods"), **more)
