"""Traces of what the service does, where the environment asks for them as OpenTelemetry has it.

``OTEL_EXPORTER_OTLP_ENDPOINT`` names a collector, spoken to over HTTP; all other variables of
OpenTelemetry hold as well. A span of an order is the parent of that of its run, in whatever
process, and the steps of the run below it have the times that the timeline tells.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.timeline.events import Acted, Checked, Verified
from runbook_nb.timeline.log import Timeline

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

PARENT: Final = "TRACEPARENT"  # as W3C Trace Context names it; in a variable of a process
_ASKED_BY: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_log = logging.getLogger("runbook.service")


@contextmanager
def span(name: str, facts: Mapping[str, object], *, parent: str = "") -> Iterator[str]:
    """Time a block; yields what names the span to another process, empty without traces."""
    tracer = _tracer()
    if tracer is None:
        yield ""
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = TraceContextTextMapPropagator()
    above = carried.extract({"traceparent": parent}) if parent else None
    attributes = {f"runbook.{key}": str(value) for key, value in facts.items()}
    with tracer.start_as_current_span(name, context=above, attributes=attributes):
        carrier: dict[str, str] = {}
        carried.inject(carrier)
        yield carrier.get("traceparent", "")


def tell_steps(timeline: Timeline, run: str) -> None:
    """Tell the checks and actions of a run below the span that goes on now."""
    tracer = _tracer()
    if tracer is None:
        return
    for event in (each for each in timeline.proven() if each.run == run):
        if isinstance(event, Checked | Verified):
            ended, took_s = event.evidence.read_at, event.evidence.took_s
            outcome = str(event.verdict)
        elif isinstance(event, Acted):
            ended, took_s, outcome = event.at, event.took_s, str(event.outcome)
        else:
            continue
        began = ended - timedelta(seconds=took_s)
        attributes = {"runbook.step": event.kind, "runbook.outcome": outcome}
        told = tracer.start_span(event.title, start_time=_ns(began), attributes=attributes)
        told.end(end_time=_ns(ended))


def send_all() -> None:
    """Send what was not sent yet, before this process ends."""
    if _tracer() is not None:
        from opentelemetry import trace

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()


@cache
def _tracer() -> "Tracer | None":
    if not any(os.environ.get(name) for name in _ASKED_BY):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("Traces are asked for and not installed: pip install 'runbook-nb[traces]'")
        return None
    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before this.
    named = os.environ.get("OTEL_SERVICE_NAME", "runbook")
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return trace.get_tracer("runbook_nb")


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)
