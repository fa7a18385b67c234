"""Traces, as a collector gets them: one from the order to each step of its run."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from running_service import Service, alert

from runbook_nb.timeline.events import Checked
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def collected():
    """Listen as a collector does; the spans that came."""
    spans = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_told):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield spans, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_an_order_its_run_and_its_steps_are_one_trace(warm, token, collected, monkeypatch):
    """Also where the run is in a process that waited, and the times are those of the timeline."""
    spans, address = collected
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    service = Service(warm, token, "--port", "0")
    try:
        assert wait_until(lambda: waits(service), within_s=60)
        service.send(alert("QueueWaitHigh", "f1"))
        assert wait_until(lambda: service.orders("done"), within_s=90)
        (order,) = service.orders("done")
    finally:
        service.end()
    named = {each.name: each for each in spans}
    assert {"delivery", "order", "queue_backlog"} <= set(named)
    run = named["queue_backlog"]
    assert run.parent_span_id == named["order"].span_id
    told = {each.key: each.value.string_value for each in run.attributes}
    assert told["runbook.order"] == order.id
    assert told["runbook.incident"] == order.incident
    for check in [event for event in warm.told(order.incident) if isinstance(event, Checked)]:
        step = named[check.title]
        assert (step.trace_id, step.parent_span_id) == (run.trace_id, run.span_id)
        took_s = (step.end_time_unix_nano - step.start_time_unix_nano) / 1e9
        assert took_s == pytest.approx(check.evidence.took_s, abs=0.001)


def waits(service):
    """Tell whether a process waits for an order."""
    from running_service import below

    return len(below(service.process.pid)) > 2
