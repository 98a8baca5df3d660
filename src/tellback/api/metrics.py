"""The metrics: totals read from the database when they are asked for, so that every process gives the same answer.

Names are the specification's where it names them (document 1, `observability`) and `tellback_…` elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tellback.effects.models import Effect, EffectState
from tellback.intake.models import RawItem
from tellback.loop.models import ChangelogRecipient
from tellback.platform.database import conninfo
from tellback.platform.health import answers, queue_depths
from tellback.platform.jobs import QUEUE_NAMES
from tellback.platform.loop_config import LoopConfig, get_loop_config
from tellback.platform.loop_config.table import LOOP_METRICS, Alert
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.triage.models import Feedback

REGISTRY = CollectorRegistry()

REQUESTS = Histogram(
    "tellback_http_request_duration_seconds",
    "Time from request to answer in this web process",
    ["door", "method", "code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
INTAKE = Counter(
    "tellback_intake_answers", "Answers of /v1/feedback in this web process, by status", ["code"], registry=REGISTRY
)


class DatabaseTotals(Collector):
    """Totals over all workspaces, without naming any."""

    def collect(self) -> Iterable[Metric]:
        """What the database knows, as document 1's `observability` asks; its state alone when it does not answer."""
        up = GaugeMetricFamily("tellback_database_up", "Whether the database answers")
        config = get_loop_config()
        try:
            # Asked over a connection of its own: the pool would wait for a database that stands still.
            families = totals() if answers(conninfo()) else []
        except DatabaseError:
            families = []
        if not families:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        info = GaugeMetricFamily("tellback_build_info", "The running version", labels=["version"])
        info.add_metric([version("tellback")], 1)
        hidden = set(LOOP_METRICS) - set(config.observability.metrics)
        return [up, info, *(family for family in families if _name_of(family) not in hidden), _firing(config, families)]


def totals() -> list[Metric]:
    """Everything that is counted, whatever is shown of it. Raises `DatabaseError`."""
    return [*_loop_totals(), *_queues()]


@dataclass(frozen=True, slots=True)
class Watched:
    """One of document 1's alerts, and the value of its metric now."""

    alert: Alert
    value: float

    @property
    def fires(self) -> bool:
        """Whether it is trouble."""
        return self.value >= self.alert.threshold


def watch(config: LoopConfig, families: Iterable[Metric]) -> list[Watched]:
    """Each alert with its metric's value: the largest of a gauge's, the sum of a counter's."""
    values: dict[str, float] = {}
    for family in families:
        samples = [sample.value for sample in family.samples]
        values[_name_of(family)] = sum(samples) if family.type == "counter" else max(samples, default=0.0)
    return [Watched(alert, values.get(alert.metric, 0.0)) for alert in config.observability.alerts]


def _name_of(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _firing(config: LoopConfig, families: Iterable[Metric]) -> Metric:
    labels = ["metric", "severity", "threshold"]
    gauge = GaugeMetricFamily("tellback_alert_firing", "Whether a configured alert is trouble now", labels=labels)
    for one in watch(config, families):
        gauge.add_metric([one.alert.metric, one.alert.severity, f"{one.alert.threshold:g}"], float(one.fires))
    return gauge


def _loop_totals() -> Iterator[Metric]:
    ingested: dict[str, int] = {}
    states: dict[str, int] = {}
    triaged: dict[str, int] = {}
    effects: dict[tuple[str, str], int] = {}
    closed, workspaces, oldest = 0, list_workspace_ids(), 0.0
    now = timezone.now()
    for workspace_id in workspaces:
        with in_workspace(workspace_id):
            items = RawItem.objects.order_by().values_list("source_type", "processing_state").annotate(n=Count("id"))
            for source, state, count in items:
                _add(ingested, source, count)
                _add(states, state, count)
            for kind, count in Feedback.objects.order_by().values_list("type").annotate(n=Count("id")):
                _add(triaged, kind, count)
            closed += ChangelogRecipient.objects.filter(told_at__isnull=False).count()
            for key_kind, state, count in (
                Effect.objects.order_by().values_list("kind", "state").annotate(n=Count("id"))
            ):
                effects[key_kind, state] = effects.get((key_kind, state), 0) + count
            due = Effect.objects.filter(Q(state=EffectState.PENDING, due_at__lte=now)).aggregate(at=Min("due_at"))["at"]
            oldest = max(oldest, (now - due).total_seconds() if due else 0.0)
    yield _counter("feedback_ingested", "Feedback accepted and stored", "source", ingested)
    yield _counter("feedback_triaged", "Feedback with a triage record", "type", triaged)
    told = CounterMetricFamily("feedback_closed_loop", "Times that a person was told what became of their feedback")
    told.add_metric([], closed)
    yield told
    items_now = GaugeMetricFamily("tellback_items", "Raw items by state", labels=["state"])
    for state, count in states.items():
        items_now.add_metric([state], count)
    yield items_now
    outbox = GaugeMetricFamily("tellback_effects", "Effects of the outbox", labels=["kind", "state"])
    for (kind, state), count in effects.items():
        outbox.add_metric([kind, state], count)
    yield outbox
    yield GaugeMetricFamily("tellback_outbox_lag_seconds", "Age of the oldest effect that is due", value=oldest)
    yield GaugeMetricFamily("tellback_workspaces", "Workspaces", value=len(workspaces))


def _add(totals: dict[str, int], key: str, count: int) -> None:
    totals[key] = totals.get(key, 0) + count


def _counter(name: str, text: str, label: str, totals: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, count in sorted(totals.items()):
        family.add_metric([key], count)
    return family


def _queues() -> Iterator[Metric]:
    lag = GaugeMetricFamily("queue_lag_seconds", "Age of the oldest job that is due and waits", labels=["queue"])
    depth = GaugeMetricFamily("tellback_queue_depth", "Jobs that are not done", labels=["queue", "state"])
    connection.ensure_connection()
    depths = {row.queue: row for row in queue_depths(connection.connection)}
    for stored, name in QUEUE_NAMES.items():
        row = depths.get(stored)
        lag.add_metric([name], row.lag if row else 0)
        for state in ("due", "later", "doing", "failed"):
            depth.add_metric([name, state], getattr(row, state) if row else 0)
    yield lag
    yield depth


REGISTRY.register(DatabaseTotals())
