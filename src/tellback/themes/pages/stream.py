"""The stream page: what arrives, what becomes of it, what failed. Here, because it links each item to its themes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tellback.intake.follow_ups import list_thread
from tellback.intake.models import ItemState, RawItem, VaultValue
from tellback.intake.selectors import (
    WAITING,
    StreamFilter,
    get_pipeline_figures,
    list_items,
    list_offered_states,
    list_sources,
)
from tellback.intake.states import retry_items
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.evidence import Piece, mark_evidence
from tellback.understanding.models import SignalType
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role


@dataclass(frozen=True, slots=True)
class StreamRow:
    """An item with where it went."""

    item: RawItem
    signals: int
    themes: list[Theme]

    @property
    def pieces(self) -> list[Piece]:
        """Its words, with what was understood marked in them."""
        return mark_evidence(str(self.item.content.get("text", "")), self.item.signals.all())

    @property
    def is_thanks(self) -> bool:
        """Whether all that it says is praise, which is counted and not themed."""
        return bool(self.signals) and all(signal.signal_type == SignalType.PRAISE for signal in self.item.signals.all())

    @property
    def is_waiting(self) -> bool:
        """Whether the pipeline still has it."""
        return self.item.processing_state in WAITING

    @property
    def is_failed(self) -> bool:
        """Whether a person must decide."""
        return self.item.processing_state == ItemState.FAILED


@require_role(Role.CONTRIBUTOR)
def stream(request: TenantRequest) -> HttpResponse:
    """Sources on the left, the feed on the right; counts keep themselves up to date."""
    now = timezone.now()
    wanted = StreamFilter(
        source_id=parse_uuid(request.GET.get("source")),
        state=request.GET.get("state", ""),
        search=request.GET.get("search", "").strip()[:100],
        before=parse_uuid(request.GET.get("before")),
    )
    items, following = list_items(wanted, now=now)
    kept = {name: request.GET[name] for name in ("source", "state", "search") if request.GET.get(name)}
    context = {
        "tab": "stream",
        "filter": wanted,
        "rows": rows_of(items),
        "next": urlencode({**kept, "before": str(following)}) if following else "",
        "sources": list_sources(now=now),
        "figures": get_pipeline_figures(now=now),
        "is_narrowed": bool(kept or wanted.before),
        "states": [
            ("", _("All")),
            ("waiting", _("In progress")),
            ("completed", _("Completed")),
            ("failed", _("Failed")),
            *((state.name, state.label) for state in list_offered_states()),
        ],
    }
    return render(request, "themes/stream.html", context)


def rows_of(items: Sequence[RawItem]) -> list[StreamRow]:
    """Items with the themes their signals joined, in one query for all; their signals must be prefetched.

    With their triage records and what they may repeat, which the rows' templates ask for by the tags of the room above.
    """
    prefetch_related_objects(items, "feedback", "duplicate_suggestions__earlier__principal")
    ids = {signal.theme_id for item in items for signal in item.signals.all() if signal.theme_id}
    themes = Theme.objects.filter(status=ThemeStatus.ACTIVE).in_bulk(ids)
    rows = []
    for item in items:
        signals = item.signals.all()
        joined = dict.fromkeys(signal.theme_id for signal in signals if signal.theme_id in themes)
        rows.append(StreamRow(item, len(signals), [themes[theme_id] for theme_id in joined if theme_id]))
    return rows


def parse_uuid(text: str | None) -> UUID | None:
    """An id from an address, or None when it is not one."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


@require_role(Role.CONTRIBUTOR)
def counts(request: TenantRequest) -> HttpResponse:
    """The figures for the page's own polling; 304 when nothing changed."""
    figures = asdict(get_pipeline_figures(now=timezone.now()))
    etag = f'"{hashlib.sha256(json.dumps(figures).encode()).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    return JsonResponse(figures, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


@require_role(Role.CONTRIBUTOR)
def raw_item(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """What is stored of an item, as it is stored; to the stream's own question, its row as it stands now."""
    item = get_object_or_404(RawItem.objects.select_related("source", "principal"), pk=item_id)
    if request.headers.get("HX-Target") == f"item-{item.id}":
        return render(request, "themes/_item.html", {"row": rows_of([item])[0]})
    stored = {"content": item.content, "author": item.author, "contextEnvelope": item.context_envelope}
    return render(
        request,
        "themes/raw_item.html",
        {
            "item": item,
            "row": rows_of([item])[0],
            "thread": [one for one in list_thread(item) if one.id != item.id],
            "stored": json.dumps(stored, indent=2, ensure_ascii=False),
            "sealed": VaultValue.objects.filter(raw_item=item).count(),
            "tab": "stream",
        },
    )


@require_POST
@require_role(Role.CONTRIBUTOR)
def retry(request: TenantRequest) -> HttpResponse:
    """Try one failed item again, or all of them."""
    chosen = request.POST.get("item", "")
    failed = RawItem.objects.filter(processing_state=ItemState.FAILED)
    if chosen:
        failed = failed.filter(id__in=[known for known in [parse_uuid(chosen)] if known])
    ids = list(failed.order_by("id").values_list("id", flat=True)[:1000])
    count = retry_items(item_ids=ids, now=timezone.now())
    messages.success(request, ngettext("%d item is tried again.", "%d items are tried again.", count) % count)
    return redirect("stream")
