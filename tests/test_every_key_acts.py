"""Every key of document 1's file changes what the product does: a test for each, and one that none is left out."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from anymail.backends.sendgrid import EmailBackend as SendGrid
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from procrastinate.jobs import Job
from pytest_django.fixtures import Settings

from tellback.api.metrics import totals, watch
from tellback.config.mail import PROVIDERS, TEMPLATED, provider_settings, takes_templates
from tellback.edge.app import Edge, EdgeOptions
from tellback.edge.body import check, parse_v1
from tellback.edge.files import SentFile
from tellback.edge.payloads import Sender
from tellback.edge.storage import WidgetStorage
from tellback.effects.models import Effect, EffectState
from tellback.effects.services import deliver_due
from tellback.intake.attachments.cleaning import Upload
from tellback.intake.attachments.storage import widget_bytes
from tellback.intake.models import Attachment, FeedbackSource, RawItem
from tellback.intake.policy import DEFAULT
from tellback.intake.schemas.v2 import FeedbackV2
from tellback.kernel.errors import Invalid, Unavailable
from tellback.kernel.ids import new_id
from tellback.loop import progress, telling
from tellback.platform.jobs import Queue, concurrency, queue_names, retries
from tellback.platform.loop_config import LoopConfig, get_loop_config, list_settings
from tellback.platform.loop_config.table import LOOP_METRICS, OWN_METRICS, Notifications
from tellback.themes.models import Theme
from tellback.themes.services import refresh_themes
from tellback.triage import services as triage
from tellback.triage.models import RoutingDecision
from tellback.triage.ticketing import deliver_ticket
from tellback.understanding.engine import get_engine
from tellback.understanding.models import Signal
from tellback.workspaces.loop_settings import get_workspace_config, set_loop_setting, unset_loop_setting
from tellback.workspaces.models import AuditEntry, KeyKind, Principal, Workspace
from tellback.workspaces.pages.loop import LABELS
from tellback.workspaces.selectors import KeyHolder

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Configure = Callable[..., LoopConfig]
MakeItem = Callable[..., RawItem]
#: What a signal has beside its item and theme.
SIGNAL = {"signal_type": "feature_request", "summary": "Dark mode", "urgency": "medium", "extraction_confidence": 1.0}
_tested: set[str] = set()


def acts(*names: str) -> Callable[[Any], Any]:
    """Say which keys a test proves to act."""
    _tested.update(names)
    return lambda test: test


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Configure]:
    """Makes a file with these keys (dots written as two underscores) the configuration of this process."""

    def configure(**values: object) -> LoopConfig:
        document: dict[str, Any] = {}
        for name, value in values.items():
            *sections, key = name.split("__")
            place = document
            for section in sections:
                place = place.setdefault(section, {})
            place[key] = value
        path = tmp_path / "loop.yaml"
        path.write_text(json.dumps(document))
        monkeypatch.setenv("TELLBACK_CONFIG", str(path))
        get_loop_config.cache_clear()
        return get_loop_config()

    yield configure
    get_loop_config.cache_clear()


@pytest.fixture
def make_item(workspace: Workspace) -> MakeItem:
    """Makes items that Ada wrote."""
    source = FeedbackSource.objects.create(workspace=workspace, source_type="api", delivery_mode="passive", name="Own")

    def make(text: str = "The page is empty", **changes: Any) -> RawItem:
        ada, _ = Principal.objects.get_or_create(workspace=workspace, email="ada@example.com", display_name="Ada")
        number = uuid4().hex
        return RawItem.objects.create(
            **{
                "workspace": workspace,
                "source": source,
                "source_type": "api",
                "external_id": number,
                "dedupe_key": number,
                "source_created_at": NOW,
                "content": {"text": text},
                "channel": "in-app",
                "category": "other",
                "severity": "medium",
                "receipt_token": number,
                "principal": ada,
                **changes,
            }
        )

    return make


@acts("ingestion.rate_limit", "ingestion.max_payload_size", "ingestion.max_payload_size_v2")
@acts("ingestion.idempotency_ttl_hours", "schema.version")
def test_the_door_is_given_its_limits(configure: Configure) -> None:
    """What the door makes of them, a real one shows in tests/trust/test_config_file.py."""
    configure(
        ingestion__rate_limit="3/s",
        ingestion__max_payload_size=600,
        ingestion__max_payload_size_v2=9000,
        ingestion__idempotency_ttl_hours=2,
        schema__version="v2",
    )
    options = EdgeOptions.of(get_loop_config(), base_url="")
    assert options.requests_per_minute == 180
    assert (options.max_payload_bytes, options.max_v2_bytes, options.max_batch_bytes) == (600, 9000, 72_000)
    assert options.idempotency_window == timedelta(hours=2)
    assert options.version == "v2"


V1 = {
    "idempotencyKey": "550e8400-e29b-41d4-a716-446655440000",
    "userId": 123,
    "channel": "in-app",
    "category": "bug",
    "content": "App crashes on checkout",
    "metadata": {"appVersion": 2.5},
    "timestamp": 1_700_000_000,
}


@acts("ingestion.widget_storage_mb")
def test_files_of_widgets_are_left_out_when_their_room_is_full(
    configure: Configure, make_item: MakeItem, workspace: Workspace, wait_for: Callable[[Any], Any]
) -> None:
    """A server's key has no such bound, since it stands in no public page."""
    configure(ingestion__widget_storage_mb=2)
    edge = Edge(conninfo="", options=EdgeOptions.of(get_loop_config(), base_url=""))
    stored: dict[UUID, int] = {workspace.id: 1_999_990}
    edge.widget_storage = WidgetStorage(edge.options.widget_storage_bytes, count=lambda id: stored.get(id, 0))
    notes = SentFile("/attachments/0", Upload("notes.txt", b"eight by"))

    def keep(kind: KeyKind, workspace_id: UUID = workspace.id) -> tuple[int, list[str]]:
        sender = Sender(KeyHolder(new_id(), workspace_id, kind, (), None), (), timedelta(hours=1))
        kept, left_out = wait_for(edge.files.keep(workspace_id, [notes], policy=DEFAULT, room=edge._room_of(sender)))
        return len(kept), left_out

    assert keep(KeyKind.WIDGET) == (1, [])
    full = (0, ["notes.txt was left out: the room for files from widgets is full."])
    assert [keep(KeyKind.WIDGET), keep(KeyKind.WIDGET)] == [full, full]
    assert keep(KeyKind.SECRET) == (1, [])
    assert keep(KeyKind.WIDGET, new_id()) == (1, []), "each workspace has its own room"


def test_the_room_that_widgets_take_is_counted_from_their_own_files(make_item: MakeItem) -> None:
    for source_type, size in (("widget", 300), ("widget", 40), ("api", 5000)):
        item = make_item(source_type=source_type)
        Attachment.objects.create(
            workspace=item.workspace, raw_item=item, position=0, name="x", size_bytes=size, file_key=str(item.id)
        )
    assert widget_bytes() == 340


@acts("schema.strict_mode")
def test_strict_mode_decides_whether_numbers_stand_for_texts_and_times(configure: Configure) -> None:
    strict = EdgeOptions.of(configure(), base_url="")
    with pytest.raises(Invalid) as refusal:
        parse_v1(json.dumps(V1).encode(), model=strict.v1_model)
    assert {error.pointer for error in refusal.value.errors} == {"/userId", "/metadata/appVersion", "/timestamp"}
    lax = EdgeOptions.of(configure(schema__strict_mode=False), base_url="")
    payload = parse_v1(json.dumps(V1).encode(), model=lax.v1_model)
    assert payload.user_id == "123"
    assert payload.metadata is not None
    assert payload.metadata.app_version == "2.5"
    assert payload.timestamp == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    with pytest.raises(Invalid):
        parse_v1(json.dumps({**V1, "channel": "phone"}).encode(), model=lax.v1_model)


@acts("schema.allow_unknown_fields")
def test_unknown_fields_are_refused_or_left_out(configure: Configure) -> None:
    body = {**V1, "userId": "u", "metadata": {"build": 7}, "timestamp": "2026-01-15T10:00:00Z", "mood": "cross"}
    for model in ("v1", "v2"):

        def read(options: EdgeOptions, model: str = model) -> Any:
            if model == "v1":
                return parse_v1(json.dumps(body).encode(), model=options.v1_model, unknown=options.unknown_fields)
            return check(FeedbackV2, body, unknown=options.unknown_fields)

        with pytest.raises(Invalid) as refusal:
            read(EdgeOptions.of(configure(), base_url=""))
        assert {error.pointer for error in refusal.value.errors} == {"/mood", "/metadata/build"}
        payload = read(EdgeOptions.of(configure(schema__allow_unknown_fields=True), base_url=""))
        assert payload.content == "App crashes on checkout"
        assert "cross" not in payload.model_dump_json()


@acts("processing.queue")
def test_the_intake_queue_is_called_as_configured(configure: Configure) -> None:
    config = configure(processing__queue="feedback.ingested")
    names = queue_names(config.processing)
    assert names[Queue.INGEST.value] == "feedback.ingested"
    assert names[Queue.AI.value] == "feedback-ai"


@acts("processing.concurrency")
def test_so_many_intake_jobs_run_side_by_side(configure: Configure) -> None:
    assert concurrency(configure(processing__concurrency=11).processing)[Queue.INGEST] == 11


def _job(attempts: int) -> Job:
    return Job(id=1, queue="feedback-ingest", lock=None, queueing_lock=None, task_name="x", attempts=attempts)


@acts("processing.retry_policy.max_attempts", "processing.retry_policy.backoff_ms", "processing.retry_policy.jitter")
def test_intake_jobs_are_tried_again_as_configured(configure: Configure) -> None:
    policy = {"max_attempts": 5, "backoff_ms": 8000, "jitter": False}
    backoff = retries(configure(processing__retry_policy=policy).processing)[Queue.INGEST]

    def delay(attempts: int) -> float | None:
        began = datetime.now(UTC)
        decision = backoff.get_retry_decision(exception=ValueError(), job=_job(attempts))
        if decision is None:
            return None
        assert decision.retry_at is not None
        return (decision.retry_at - began).total_seconds()

    assert [round(delay(n) or 0) for n in range(4)] == [8, 16, 32, 64]
    assert delay(4) is None
    assert len({round(delay(0) or 0, 1) for _ in range(20)}) == 1
    backoff = retries(configure(processing__retry_policy={**policy, "jitter": True}).processing)[Queue.INGEST]
    delays = [delay(0) or 0 for _ in range(50)]
    assert len({round(one, 1) for one in delays}) > 10
    assert 4 <= min(delays) <= max(delays) <= 12.1


@acts("routing.score_thresholds.critical", "routing.score_thresholds.high")
@acts("routing.score_thresholds.medium", "routing.score_thresholds.low")
@pytest.mark.parametrize(
    ("thresholds", "priority", "queue"),
    [
        ({}, "medium", "inbox"),
        ({"critical": 50, "high": 49, "medium": 48}, "urgent", "now"),
        ({"critical": 51, "high": 50, "medium": 49}, "high", "now"),
        ({"critical": 53, "high": 52, "medium": 51}, "low", "backlog"),
        ({"critical": 54, "high": 53, "medium": 52, "low": 51}, "low", "kept"),
    ],
)
def test_thresholds_decide_priority_and_route(
    configure: Configure, make_item: MakeItem, thresholds: dict[str, int], priority: str, queue: str
) -> None:
    configure(routing__score_thresholds=thresholds)
    (feedback,) = triage.open_feedback(items=[make_item()])
    assert (feedback.score, feedback.priority) == (50, priority)
    assert RoutingDecision.objects.get(feedback=feedback).outcome["route"]["queue"] == queue


class Tracker:
    """A webhook on this machine that remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[str, dict[str, Any]]] = []
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                tracker.got.append((self.headers["idempotency-key"], json.loads(body)))
                self.send_response(tracker.answers.pop(0) if tracker.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    """A tracker's webhook."""
    made = Tracker()
    yield made
    made.server.shutdown()
    made.server.server_close()


@acts("ticketing.provider", "ticketing.webhook_url", "ticketing.default_labels")
def test_a_ticket_goes_to_the_webhook_once_with_its_labels_and_priority(
    configure: Configure, make_item: MakeItem, tracker: Tracker, workspace: Workspace, settings: Settings
) -> None:
    settings.BASE_URL = "https://feedback.example"
    configure(ticketing={"provider": "linear", "webhook_url": tracker.url, "default_labels": ["voice"]})
    items = [
        make_item("It crashes at once", severity="critical", category="bug"),
        make_item("I wish it had tabs", category="feature"),
        make_item("It is fine"),
        make_item("It crashes, said the file", severity="critical", silent=True),
    ]
    records = {one.raw_item_id: one for one in triage.open_feedback(items=items)}
    triage.open_feedback(items=items)
    assert Effect.objects.filter(kind="ticket").count() == 2
    tracker.answers = [500]
    clock = [datetime.now(UTC)]
    deliver_due(workspace_id=workspace.id, now=lambda: clock[0])
    clock[0] += timedelta(minutes=5)
    deliver_due(workspace_id=workspace.id, now=lambda: clock[0])
    keys = [key for key, _ in tracker.got]
    assert len(keys) == 3
    assert len(set(keys)) == 2
    tickets = {ticket["title"]: ticket for _, ticket in tracker.got}
    urgent, wish = tickets["It crashes at once"], tickets["I wish it had tabs"]
    assert (urgent["provider"], urgent["priority"], urgent["labels"]) == ("linear", "urgent", ["voice"])
    assert (wish["priority"], wish["labels"]) == ("medium", ["voice", "backlog"])
    assert urgent["feedback"] == records[items[0].id].public_id
    assert urgent["url"] == f"https://feedback.example/admin/feedback/stream/{items[0].id}"
    assert urgent["description"] == "It crashes at once"
    assert set(Effect.objects.filter(kind="ticket").values_list("state", flat=True)) == {EffectState.DELIVERED}


def test_without_a_webhook_no_ticket_is_put_up_and_the_route_is_recorded(
    configure: Configure, make_item: MakeItem
) -> None:
    configure(ticketing={"provider": "linear"})
    (feedback,) = triage.open_feedback(items=[make_item(severity="critical")])
    assert not Effect.objects.filter(kind="ticket").exists()
    assert RoutingDecision.objects.get(feedback=feedback).outcome["route"]["queue"] == "now"


def test_a_refused_ticket_never_says_the_secret_address(
    configure: Configure, make_item: MakeItem, tracker: Tracker
) -> None:
    configure(ticketing={"webhook_url": tracker.url})
    triage.open_feedback(items=[make_item(severity="critical")])
    effect = Effect.objects.get(kind="ticket")
    tracker.answers = [302]
    with pytest.raises(Unavailable, match=r"answered 302"):
        deliver_ticket(effect)
    tracker.answers = [409]
    deliver_ticket(effect)
    tracker.server.shutdown()
    tracker.server.server_close()
    with pytest.raises(Unavailable) as caught:
        deliver_ticket(effect)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in json.dumps(effect.payload)


def test_a_ticket_of_erased_words_is_not_sent(configure: Configure, make_item: MakeItem, tracker: Tracker) -> None:
    from tellback.intake.subjects.erasing import erase_person

    configure(ticketing={"webhook_url": tracker.url})
    item = make_item("It crashes", severity="critical")
    triage.open_feedback(items=[item])
    assert item.principal is not None
    erase_person(person=item.principal, actor=None, now=NOW)
    effect = Effect.objects.get(kind="ticket")
    assert effect.state == EffectState.SUPPRESSED
    deliver_ticket(effect)
    assert tracker.got == []


@acts("notifications.provider")
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_mail_leaves_through_the_provider_whose_key_is_there(provider: str) -> None:
    keys = {PROVIDERS[provider][1]: "key", "MAILGUN_SENDER_DOMAIN": "mail.example"}
    found = provider_settings(provider, keys)
    assert found is not None
    assert found["EMAIL_BACKEND"] == PROVIDERS[provider][0]
    assert found["ANYMAIL"][PROVIDERS[provider][1]] == "key"
    assert provider_settings(provider, {}) is None


def test_the_providers_of_the_file_are_those_that_can_be_used() -> None:
    kinds = next(one.kind for one in list_settings() if one.name == "notifications.provider")
    assert set(kinds.split(", ")) == {*PROVIDERS, "smtp"}
    assert provider_settings("smtp", {}) is None
    assert Notifications.model_fields["provider"].default is None


@acts("notifications.template_id")
@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
@pytest.mark.parametrize(
    ("template", "where"), [("d-4f2", "dynamic_template_data"), ("d_feedback_ack", "substitutions")]
)
def test_an_acknowledgement_names_the_providers_template_with_its_values(
    configure: Configure,
    make_item: MakeItem,
    workspace: Workspace,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    where: str,
) -> None:
    configure(notifications={"provider": "sendgrid", "template_id": template, "delay_minutes": 0})
    (feedback,) = triage.open_feedback(items=[make_item("The export is slow")])
    progress.acknowledge(feedback_ids=[feedback.id], pacing=telling.configured_pacing(), now=NOW)
    sent: list[EmailMultiAlternatives] = []

    def keep(_: object, messages: list[EmailMultiAlternatives]) -> int:
        sent.extend(messages)
        return len(messages)

    monkeypatch.setattr(SendGrid, "send_messages", keep)
    settings.EMAIL_BACKEND = PROVIDERS["sendgrid"][0]
    settings.ANYMAIL = (provider_settings("sendgrid", {"SENDGRID_API_KEY": "key"}) or {})["ANYMAIL"]
    settings.MAIL_TEMPLATES = takes_templates(settings.EMAIL_BACKEND)
    assert deliver_due(workspace_id=workspace.id, now=lambda: datetime.now(UTC)) == 1
    backend: Any = SendGrid()
    payload = backend.build_message_payload(sent[0], {}).get_request_params("https://mail.example/")
    body = json.loads(payload["data"])
    assert body["template_id"] == template
    values = {name.strip("{}"): value for name, value in body["personalizations"][0][where].items()}
    assert (values["words"], values["name"], values["workspace"]) == ("The export is slow", "Ada", "Harbour")
    assert re.fullmatch(r"http.*/r/.+", values["receipt"])
    assert "/unsubscribe/" in values["unsubscribe"]
    assert "content" not in body
    assert "subject" not in body


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
@pytest.mark.parametrize("provider", sorted(TEMPLATED))
def test_every_provider_with_templates_takes_our_headers_with_one(provider: str, settings: Settings) -> None:
    found = provider_settings(provider, {PROVIDERS[provider][1]: "key", "MAILGUN_SENDER_DOMAIN": "mail.example"})
    assert found is not None
    settings.ANYMAIL = found["ANYMAIL"]
    message = EmailMultiAlternatives("", "", "us@example.com", ["ada@example.com"], headers={"List-Unsubscribe": "<x>"})
    message.template_id, message.merge_global_data = "12", {"words": "Hello"}  # type: ignore[attr-defined]
    message.extra_headers["Message-ID"] = "<effect_1@example.com>"
    backend: Any = get_connection(found["EMAIL_BACKEND"])
    asked = str(backend.build_message_payload(message, {}).get_request_params("https://mail.example/"))
    assert "Hello" in asked
    assert "12" in asked
    assert "List-Unsubscribe" in asked


@acts("notifications.delay_minutes")
def test_an_acknowledgement_waits_so_long(configure: Configure, make_item: MakeItem) -> None:
    configure(notifications__delay_minutes=42)
    (feedback,) = triage.open_feedback(items=[make_item()])
    progress.acknowledge(feedback_ids=[feedback.id], pacing=telling.configured_pacing(), now=NOW)
    assert Effect.objects.get(kind="mail").due_at == NOW + timedelta(minutes=42)


@acts("notifications.max_per_user_per_day")
def test_a_person_gets_so_many_mails_in_a_day(configure: Configure, make_item: MakeItem) -> None:
    configure(notifications__max_per_user_per_day=2)
    records = triage.open_feedback(items=[make_item() for _ in range(4)])
    for feedback in records:
        progress.acknowledge(feedback_ids=[feedback.id], pacing=telling.configured_pacing(), now=datetime.now(UTC))
    assert Effect.objects.filter(kind="mail").count() == 2


@acts("observability.metrics")
def test_the_page_of_metrics_shows_those_of_the_document_that_are_asked_for(
    configure: Configure, workspace: Workspace, client: Client
) -> None:
    configure(observability__metrics=["queue_lag_seconds"])
    text = client.get("/metrics").text
    assert "queue_lag_seconds{" in text
    assert "feedback_triaged" not in text
    assert "tellback_outbox_lag_seconds" in text
    configure(observability__metrics=["feedback_triaged_total", "feedback_ingested_total"])
    text = client.get("/metrics").text
    assert "feedback_triaged_total" in text
    assert "queue_lag_seconds{" not in text


@acts("observability.alerts")
def test_an_alert_fires_from_its_threshold_on_in_the_metrics_and_in_doctor(
    configure: Configure, make_item: MakeItem, client: Client
) -> None:
    from tellback.cli.doctor import Verdict, finding_of

    triage.open_feedback(items=[make_item(), make_item()])
    alerts = [
        {"metric": "feedback_triaged_total", "threshold": 2, "severity": "critical"},
        {"metric": "feedback_ingested_total", "threshold": 1.5, "severity": "warning"},
        {"metric": "tellback_items", "threshold": 3, "severity": "info"},
    ]
    config = configure(observability__alerts=alerts)
    text = client.get("/metrics").text
    assert 'tellback_alert_firing{metric="feedback_triaged_total",severity="critical",threshold="2"} 1.0' in text
    assert 'tellback_alert_firing{metric="tellback_items",severity="info",threshold="3"} 0.0' in text
    found = [finding_of(one) for one in watch(config, totals())]
    assert [one.verdict for one in found] == [Verdict.WRONG, Verdict.HINT, Verdict.OK]
    assert "feedback_triaged_total is 2, from 2 on it is critical" in found[0].detail


def test_the_lowest_threshold_of_the_queues_decides_when_traffic_is_refused(
    configure: Configure, workspace: Workspace, client: Client
) -> None:
    configure(observability__alerts=[{"metric": "queue_lag_seconds", "threshold": 0}])
    assert client.get("/readyz").status_code == 503
    configure(observability__alerts=[{"metric": "queue_lag_seconds", "threshold": 10}])
    assert client.get("/readyz").status_code == 200


@acts("themes.plan_weights", "themes.revenue_for_two")
def test_plans_and_revenue_weigh_in_the_strength_of_themes(
    configure: Configure, make_item: MakeItem, workspace: Workspace
) -> None:
    theme = Theme.objects.create(workspace=workspace, title="Dark mode", summary="Dark mode", status="active")
    for email, plan, mrr in (("a@example.com", "Gold", 0), ("b@example.com", "", 700), ("c@example.com", "free", None)):
        person = Principal.objects.create(workspace=workspace, email=email, plan=plan, mrr=mrr, company=email)
        item = make_item(principal=person)
        Signal.objects.create(workspace=workspace, raw_feedback_item=item, theme_id=theme.id, **SIGNAL)

    def reach(**values: object) -> float:
        configure(**values)
        Theme.objects.update(is_stale=True)
        refresh_themes(engine=get_engine(), now=NOW)
        theme.refresh_from_db()
        return theme.reach

    assert reach(themes__plan_weights=[], themes__revenue_for_two=0) == 3
    calm = theme.strength
    assert reach(themes__plan_weights=["gold=4"], themes__revenue_for_two=0) == 6
    assert reach(themes__plan_weights=["gold=4"], themes__revenue_for_two=100) == 4 + 4 + 1
    assert theme.strength > calm
    assert theme.revenue == 700


@pytest.mark.parametrize("wrong", [["gold"], ["gold=much"], ["=2"], ["gold=2", "Gold=3"], ["gold=-1"]])
def test_a_weight_of_a_plan_that_is_none_is_refused(configure: Configure, wrong: list[str]) -> None:
    with pytest.raises(Invalid):
        configure(themes__plan_weights=wrong)


def test_every_metric_that_can_be_named_is_counted(workspace: Workspace) -> None:
    named = {f"{family.name}_total" if family.type == "counter" else family.name for family in totals()}
    assert set(LOOP_METRICS) | set(OWN_METRICS) == named


def test_a_workspace_sets_its_own_and_another_one_keeps_the_installations(
    configure: Configure, make_item: MakeItem, workspace: Workspace
) -> None:
    configure(notifications__delay_minutes=9)
    set_loop_setting(workspace=workspace, name="notifications.delay_minutes", value=0, actor=None)
    assert telling.configured_pacing().delay == timedelta(0)
    assert AuditEntry.objects.filter(action="setting.changed").count() == 1
    with pytest.raises(Invalid, match=r"whole installation"):
        set_loop_setting(workspace=workspace, name="ingestion.rate_limit", value=1, actor=None)
    with pytest.raises(Invalid) as caught:
        set_loop_setting(workspace=workspace, name="routing.score_thresholds.high", value=99, actor=None)
    assert "must fall" in caught.value.errors[0].detail
    unset_loop_setting(workspace=workspace, name="notifications.delay_minutes", actor=None)
    assert telling.configured_pacing().delay == timedelta(minutes=9)


def test_the_page_sets_keys_for_the_workspace_and_leaves_the_empty_ones_to_the_installation(
    configure: Configure, workspace: Workspace, as_role: Callable[[str], Client]
) -> None:
    configure(notifications__delay_minutes=9)
    client = as_role("admin")
    assert 'placeholder="9"' in client.get("/admin/settings/loop").content.decode()
    sent = {"notifications.delay_minutes": "0", "ticketing.default_labels": "voice, of customers"}
    assert client.post("/admin/settings/loop", sent).status_code == 302
    config = get_workspace_config(workspace.id)
    assert (config.notifications.delay_minutes, config.ticketing.default_labels) == (0, ("voice", "of customers"))
    page = client.get("/admin/settings/loop").content.decode()
    assert 'value="0"' in page
    assert 'value="voice, of customers"' in page
    client.post("/admin/settings/loop", {**sent, "notifications.delay_minutes": ""})
    assert get_workspace_config(workspace.id).notifications.delay_minutes == 9
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["setting.changed", "setting.changed", "setting.unset"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"routing.score_thresholds.high": "95"}, "The scores must fall"),
        ({"routing.score_thresholds.critical": "101"}, "Must be 100 or less."),
        ({"notifications.delay_minutes": "soon"}, "Enter a whole number."),
        ({"ticketing.default_labels": "a, a"}, "Lists “a” twice."),
        ({"ticketing.default_labels": "x" * 51}, "Must have 50 characters or fewer."),
    ],
)
def test_the_page_says_what_is_wrong_and_changes_nothing(
    configure: Configure, workspace: Workspace, as_role: Callable[[str], Client], sent: dict[str, str], said: str
) -> None:
    configure()
    answer = as_role("admin").post("/admin/settings/loop", {"notifications.max_per_user_per_day": "7", **sent})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert get_workspace_config(workspace.id) == get_loop_config()


def test_every_key_that_a_workspace_may_set_has_a_label_in_the_page() -> None:
    assert {setting.name for setting in list_settings() if setting.per_workspace} == set(LABELS)


def test_a_workspaces_setting_that_no_longer_fits_is_passed_over(
    configure: Configure, make_item: MakeItem, workspace: Workspace
) -> None:
    set_loop_setting(workspace=workspace, name="routing.score_thresholds.high", value=85, actor=None)
    configure(routing__score_thresholds={"critical": 80})
    assert triage.open_feedback(items=[make_item()])[0].priority == "medium"


def test_every_key_of_the_table_has_a_test_that_it_acts() -> None:
    assert {setting.name for setting in list_settings()} == _tested
