"""The alerting systems with a real Prometheus and a real Alertmanager, and promtool's own word."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.lab.alerting.files import ROUTES, RULES, shipped
from runbook_nb.packs.control_plane.systems import alert_silences
from runbook_nb.packs.control_plane.systems._alerting import rule_file
from runbook_nb.packs.control_plane.systems._alerting.drift import (
    demand_routes_loaded,
    demand_rules_loaded,
)
from runbook_nb.packs.control_plane.systems._alerting.replay import episodes
from runbook_nb.packs.control_plane.systems._alerting.rules import (
    PagingRule,
    inhibitions,
    loaded_rules,
    routes,
)
from runbook_nb.probes.environment import Environment
from runbook_nb.text.durations import hours

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")


@pytest.fixture(scope="module")
def programs():
    for program in PROGRAMS:
        if shutil.which(program) is None:
            reason = "Debian's packages prometheus and prometheus-alertmanager have it"
            pytest.skip(f"{program} is not on PATH; {reason}")


@pytest.fixture(scope="module")
def servers(programs, tmp_path_factory):
    """A Prometheus and an Alertmanager with the lab's own rules and routes."""
    folder = tmp_path_factory.mktemp("alerting")
    (folder / RULES).write_text(shipped(RULES))
    (folder / ROUTES).write_text(shipped(ROUTES))
    (folder / "prometheus.yml").write_text(f"rule_files: ['{folder / RULES}']\n")
    ports = {name: free_port() for name in ("prometheus", "alertmanager")}
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
                "--web.enable-lifecycle",
            ],
            [
                "prometheus-alertmanager",
                f"--config.file={folder / ROUTES}",
                f"--storage.path={folder / 'silences'}",
                f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
                "--cluster.listen-address=",
            ],
        )
    ]
    try:
        for port in ports.values():
            await_ready(f"http://127.0.0.1:{port}/-/ready")
        yield folder, ports
    finally:
        for process in started:
            process.terminate()
            process.wait()


@pytest.fixture
def systems(servers):
    folder, ports = servers
    urls = {name: {"url": f"http://127.0.0.1:{port}"} for name, port in ports.items()}
    files = {"rules": str(folder / RULES), "routes": str(folder / ROUTES)}
    environment = Environment("lab", {"kind": "lab", **urls, "alerting": files})
    found = environment.writing([])
    yield found
    found.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def await_ready(url: str) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    message = f"{url} does not answer."
    raise TimeoutError(message)


def change(systems, system: str, name: str, edit) -> dict:
    path, before, after = rule_file.read(systems, name, edit)
    return rule_file.put(systems, system, path, before=before, after=after)


def test_prometheus_loads_a_changed_rule_and_takes_it_back(systems):
    """As it is loaded, and not as the file says."""
    assert len(loaded_rules(systems)) == 8

    def edit(text):
        return rule_file.with_field(
            text, alert="ToolkitErrorsHigh", field="keep_firing_for", value="10m"
        )

    done = change(systems, "prometheus", "rules", edit)
    assert {rule.name: rule.keep_s for rule in loaded_rules(systems)}["ToolkitErrorsHigh"] == 600
    rule_file.take_back(systems, "prometheus", done)
    assert Path(done["file"]).read_text() == shipped(RULES)
    assert {rule.keep_s for rule in loaded_rules(systems)} == {0}


def test_the_files_are_what_the_servers_have_loaded(systems):
    """Each writes expressions, durations and routes its own way; that is no difference."""
    _, text, _ = rule_file.read(systems, "rules", lambda text: text)
    demand_rules_loaded(text, loaded_rules(systems))
    edited = text.replace("job_queue_depth > 100", "job_queue_depth > 200")
    with pytest.raises(NothingDoneError, match="JobQueueDeep"):
        demand_rules_loaded(edited, loaded_rules(systems))
    _, text, _ = rule_file.read(systems, "routes", lambda text: text)
    demand_routes_loaded(text, routes(systems))


def test_a_rule_that_prometheus_refuses_is_put_back(systems):
    """The old rules stay loaded, and the old file is in its place."""

    def edit(text):
        return text.replace("job_queue_depth > 100", "job_queue_depth >> 100")

    with pytest.raises(ActionError, match="put back"):
        change(systems, "prometheus", "rules", edit)
    path, text, _ = rule_file.read(systems, "rules", lambda text: text)
    assert text == shipped(RULES)
    subprocess.run(["promtool", "check", "rules", path], check=True, capture_output=True)


def test_alertmanager_loads_an_inhibition_and_takes_it_back(systems):
    """Its own status tells which routes it goes by; amtool reads the file."""

    def edit(text):
        return rule_file.with_inhibition(
            text, source="HeartbeatLagHigh", target="StreamsDropped", equal=("component",)
        )

    done = change(systems, "alertmanager", "routes", edit)
    subprocess.run(["amtool", "check-config", done["file"]], check=True, capture_output=True)
    loaded = {one.target: one for one in inhibitions(routes(systems))}
    assert loaded["StreamsDropped"].source == "HeartbeatLagHigh"
    assert "pagerduty" not in str(done["lines"])
    rule_file.take_back(systems, "alertmanager", done)
    assert Path(done["file"]).read_text() == shipped(ROUTES)
    assert "StreamsDropped" not in {one.target for one in inhibitions(routes(systems))}


def test_alertmanager_ends_a_silence_and_makes_it_again(systems):
    """Ten years long is too long, and the undo makes the same one."""
    address = systems.setting("alertmanager", "url")
    add = ["amtool", f"--alertmanager.url={address}", "silence", "add", "--duration=10y"]
    said = ["--comment=noisy", "--author=somebody", "alertname=ToolkitErrorsHigh"]
    subprocess.run([*add, *said], check=True, capture_output=True)
    check, action = (
        make(longest=hours(168)) for make in (alert_silences.lasting, alert_silences.end)
    )
    assert check.read(systems).value == 1

    done = action.do(systems)
    assert check.read(systems).value == 0
    action.take_back(systems, done)
    assert check.read(systems).value == 1
    action.do(systems)


@pytest.mark.parametrize(("hold", "keep"), [(0, 0), (5, 0), (2, 10), (0, 15)])
def test_the_replay_fires_when_promtool_says_so(programs, tmp_path, hold, keep):
    """Minute by minute, over ups and downs of every length."""
    held = "1" * 3 + "0" * 4 + "1" * 8 + "0" * 9 + "1" * 2 + "0" * 12 + "1" * 6 + "0" * 25
    samples = [(60.0 * at, 1.0) for at, one in enumerate(held) if one == "1"]
    labels = {"severity": "page", "component": "x"}
    rule = PagingRule(
        name="Up",
        query="depth > 0",
        hold_s=hold * 60,
        keep_s=keep * 60,
        labels=labels,
        annotations={},
    )
    fires = episodes(rule, samples)
    written = {"alert": "Up", "expr": "depth > 0", "labels": labels}
    written |= {"for": f"{hold}m"} if hold else {}
    written |= {"keep_firing_for": f"{keep}m"} if keep else {}
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "interval": "1m", "rules": [written]}]})
    )
    expected = [
        {
            "eval_time": f"{minute}m",
            "alertname": "Up",
            "exp_alerts": [{"exp_labels": labels}]
            if any(each.begins <= minute * 60 < each.ends for each in fires)
            else [],
        }
        for minute in range(len(held))
    ]
    series = [{"series": "depth", "values": " ".join(held)}]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    content = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(content))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
