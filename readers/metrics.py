"""Figures for Prometheus: a fold over the turns that ended on this server, and over what it answered.

Only names from our own lists, codes and numbers become labels: never an id, never a customer's words. What is true just now
(turns under way, limits) is not counted here but read when somebody looks. One for each server, made by server.py; the only
file that imports prometheus_client.
"""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from events import EngineCalled, Recorded
from readers.routing_line import RoutingLine

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 12, 20, 40)
_NONE = "none"
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_MILLISECONDS = 1000

Readings = Mapping[str, tuple[str, Mapping[str, float] | float]]
"""Name -> (what it is, the value, or the values by the label `name`)."""


class Metrics:
    """The figures since the server's start."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"frontdesk_{name}", says, labels, registry=registry)

        def histogram(name: str, says: str, *labels: str) -> Histogram:
            return Histogram(f"frontdesk_{name}_seconds", says, labels, registry=registry, buckets=_SECONDS)

        self._turns = counter("turns", "Turns that ended here", "intent", "outcome", "engine")
        self._routes = counter(
            "routes", "Who decided, and what became of the guess", "decided_by", "speculated"
        )
        self._label = histogram("label", "From the question to the label of the model")
        self._first_text = histogram("first_text", "From acceptance to the first words", "engine")
        self._total = histogram("turn", "From acceptance to the end", "engine")
        self._tokens = counter("tokens", "Tokens of all model calls", "model", "kind")
        self._cost = counter("cost_usd", "Their list price in US dollars", "model")
        self._calls = counter("model_calls", "Model calls", "model", "purpose", "stop_reason")
        self._faults = counter("faults", "What went wrong on the way", "code")
        self._retries = counter("retries", "Calls that were made again")
        self._guards = counter("guards_fired", "Guards that changed or stopped something", "guard")
        self._tools = counter("tool_calls", "Tools that were asked for", "tool")
        self._responses = counter("responses", "HTTP responses", "status")

    def note(self, line: RoutingLine, recorded: Sequence[Recorded]) -> None:
        """A turn has ended here: its routing line, and the events that it is made of."""
        engine = line.engine or _NONE
        self._turns.labels(line.intent or _NONE, line.outcome or _NONE, engine).inc()
        self._routes.labels(line.decided_by or _NONE, line.speculated).inc()
        _observe(self._label, line.label_ms)
        _observe(self._first_text.labels(engine), line.first_text_ms)
        _observe(self._total.labels(engine), line.total_ms)
        self._retries.inc(line.retries)
        for code in line.faults:
            self._faults.labels(code).inc()
        for guard in line.guards:
            self._guards.labels(guard).inc()
        for tool in line.tools:
            self._tools.labels(tool).inc()
        for item in recorded:
            if isinstance(item.event, EngineCalled):
                self._note_call(item.event)

    def _note_call(self, called: EngineCalled) -> None:
        self._calls.labels(called.model, called.purpose, called.stop_reason).inc()
        self._cost.labels(called.model).inc(called.usage.cost_usd)
        for kind in _TOKENS:
            self._tokens.labels(called.model, kind.removesuffix("_tokens")).inc(getattr(called.usage, kind))

    def responded(self, status: int) -> None:
        """A response has begun."""
        self._responses.labels(str(status)).inc()

    def text(self, readings: Readings) -> bytes:
        """All figures in Prometheus' text format, with these readings of the moment."""
        now = CollectorRegistry()
        for name, (says, value) in readings.items():
            if isinstance(value, Mapping):
                gauge = Gauge(f"frontdesk_{name}", says, ("name",), registry=now)
                for label, each in value.items():
                    gauge.labels(label).set(each)
            else:
                Gauge(f"frontdesk_{name}", says, registry=now).set(value)
        return generate_latest(self._registry) + generate_latest(now)


def _observe(histogram: Histogram, took_ms: int | None) -> None:
    if took_ms is not None:
        histogram.observe(took_ms / _MILLISECONDS)
