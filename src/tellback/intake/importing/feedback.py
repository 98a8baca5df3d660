"""Rows that are feedback: what one says as a submission, and storing, changing and taking back what they said."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from tellback.intake.accept import Outcome, Submission, accept_batch, encode, fingerprint, prepare
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.landing import (
    ADDED,
    KNOWN,
    UPDATED,
    Delivery,
    Draft,
    Foreseen,
    Result,
    RowOutcome,
    other_words_under_one_id,
)
from tellback.intake.importing.plan import CHANNELS, TablePlan
from tellback.intake.importing.reading import Row
from tellback.intake.importing.said import Person, Said, check_row, shown_time
from tellback.intake.models import ImportItem, ImportRevision, ItemState, RawItem, VaultValue
from tellback.intake.policy import Policy, get_policy
from tellback.intake.states import enqueue
from tellback.intake.subjects.erasing import erasing
from tellback.intake.subjects.holders import forget_understood
from tellback.intake.vault.services import destroy_keys
from tellback.kernel.errors import Invalid
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import IN_SPARE_TIME, Queue, defer

MAX_TEXT = 20_000
SOURCE_TYPE = "csv"
SEVERITIES = {
    "critical": "critical", "blocker": "critical", "urgent": "critical", "p0": "critical", "highest": "critical",
    "high": "high", "major": "high", "p1": "high", "priority": "high",
    "medium": "medium", "normal": "medium", "moderate": "medium", "p2": "medium",
    "low": "low", "minor": "low", "trivial": "low", "p3": "low", "p4": "low", "lowest": "low",
}  # fmt: skip
#: Columns of a raw item that a changed row changes.
CHANGED = (
    "external_url", "source_created_at", "author", "content", "context_envelope", "channel", "category", "severity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A submission, what it says as a keyed digest, and whether it has an id of its own."""

    submission: Submission
    digest: str
    has_id: bool


def read_feedback(row: Row, table: TablePlan, delivery: Delivery) -> Draft:
    """The row as a submission, silent: nobody is mailed about imported feedback.

    A row with an id is the same again when its id is, whatever it says; then it may have changed. One without is the
    same when its words, author and date are. Columns that mean nothing known are kept as metadata. A rating without
    words is taken where a column holds ratings. Raises `Invalid` with a reason about the row, and `LeftOut`.
    """
    check_row(row, table)
    said = Said(row, table)
    subject, text = _words(said)
    rating = said.rating()
    if not text and rating is None:
        raise Invalid("has no text" + (" and no rating" if "rating" in table.columns else ""))
    if len(text) > MAX_TEXT:
        raise Invalid(f"has a text of {len(text):,} characters; {MAX_TEXT:,} is the most")
    when = said.time("date")
    person, channel = said.person(), said("channel").casefold()
    tags, status = said.tags(), said("status")[:60]
    severity = SEVERITIES.get(said("severity").casefold(), "medium")
    category = _category(said("category"))
    identity = said.identity()
    meaning = [text, subject, rating, tags, status, severity, category, person.email, person.user_id, person.name]
    meaning += [said("date"), said("url")]
    submission = Submission(
        source_id=delivery.source_id,
        source_type=SOURCE_TYPE,
        channel=channel if channel in CHANNELS else delivery.plan.channel,
        text=text,
        subject=subject[:500],
        source_created_at=when or delivery.now,
        category=category,
        severity=severity,
        external_id=identity,
        external_url=said("url")[:2000] or None,
        author=_author(person),
        context=_context(said, table, rating, channel),
        language=said("language")[:20] or None,
        dedupe_key=_key(
            identity, [text, subject, person.email, person.user_id, person.name, said("date")], rating, row
        ),
        silent=True,
    )
    digest = fingerprint(b"said\0" + json.dumps(meaning, ensure_ascii=False).encode("utf-8", "replace"))
    shown = {
        "text": text[:200],
        "subject": subject[:80],
        "author": person.name or person.email,
        "date": shown_time(when),
    }
    shown |= {"rating": str(rating or ""), "tags": ", ".join(tags), "status": status}
    # Equal words without an author and a time are several people's, not one row twice.
    repeats = str(submission.dedupe_key) if not identity and not (person and when) else ""
    return Draft(row.number, FeedbackRow(submission, digest, bool(identity)), shown, repeats)


def _words(said: Said) -> tuple[str, str]:
    """Subject and text. A store's API joins the two by a tab; what is there only once is the text."""
    subject, text = said.text("subject"), said.text("text")
    if "\t" in text and not subject:
        head, _, rest = text.partition("\t")
        subject, text = (head.strip(), rest.strip()) if len(head) <= 200 else (subject, text)
    if not text or subject == text:
        return "", text or subject
    return subject, text


def _key(identity: str, parts: Sequence[str], rating: int | None, row: Row) -> str:
    """A keyed digest of the id, or of what else says that two rows are one; nothing of the row can be read from it."""
    if identity:
        return fingerprint(b"id\0" + identity.encode("utf-8", "replace"))
    parts = [*parts, str(rating or "")]
    if not parts[0]:
        parts += [f"{name}\x01{cell}" for name, cell in row.cells.items()]
    return fingerprint(b"content\0" + "\0".join(parts).encode("utf-8", "replace"))


def _author(person: Person) -> dict[str, Any]:
    author = {"name": person.name, "email": person.email, "externalUserId": person.user_id}
    return {key: value for key, value in author.items() if value}


def _context(said: Said, table: TablePlan, rating: int | None, channel: str) -> dict[str, Any]:
    """The context envelope; what a field could not hold in full stays in its metadata."""
    partly = {"severity", "category"} | ({"channel"} if channel not in CHANNELS else set())
    partly |= {"rating"} if rating is None else set()
    known = {column for field, column in table.columns.items() if field not in partly}
    extra = {"appVersion": said("app_version")[:200], "device": said("device")[:200]}
    customer = {"company": said("company")[:200], "plan": said("plan")[:40]}
    context = {
        "metadata": {**said.metadata(known), **{key: value for key, value in extra.items() if value}},
        "customer": {key: value for key, value in customer.items() if value},
        "rating": rating,
        "tags": said.tags(),
        "status": said("status")[:60],
    }
    return {key: value for key, value in context.items() if value or key in {"metadata", "customer"}}


def _category(text: str) -> str:
    word = re.sub(r"[\s-]+", "_", text.strip().lower())
    return word if re.fullmatch(r"[a-z_]{1,20}", word) else "other"


@dataclass(frozen=True, slots=True)
class _Stored:
    """An item that an earlier row made. `run_id` is that of the import which said it last."""

    item_id: UUID
    digest: str
    run_id: UUID
    row: int
    is_erased: bool


class FeedbackLander:
    """Takes rows that are feedback."""

    kinds = frozenset({Kind.FEEDBACK})

    def read(self, row: Row, table: TablePlan, delivery: Delivery) -> Draft:
        """See `read_feedback`."""
        return read_feedback(row, table, delivery)

    def store(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
        """New rows are accepted; those whose id is known and that say something else are said anew."""
        drafts = [_numbered(draft) for draft in drafts]
        stored = _find_stored(drafts, delivery.source_id)
        results: dict[int, Result] = {}
        fresh: dict[str, Draft] = {}
        changed: list[tuple[_Stored, Draft]] = []
        for draft in drafts:
            row: FeedbackRow = draft.content
            key = str(row.submission.dedupe_key)
            before = stored.get(key)
            if key in fresh:
                results[draft.number] = _same_again(row, fresh[key].content.digest, fresh[key].number)
            elif before is None:
                fresh[key] = draft
            elif before.digest == row.digest or before.is_erased or not row.has_id:
                results[draft.number] = KNOWN
            elif before.run_id == delivery.run_id:
                results[draft.number] = _same_again(row, before.digest, before.row)
            else:
                changed.append((before, draft))
                stored[key] = _Stored(before.item_id, row.digest, delivery.run_id, draft.number, is_erased=False)
                results[draft.number] = UPDATED
        results |= _accept(list(fresh.values()), delivery)
        _say_anew(changed, delivery)
        return [results[draft.number] for draft in drafts]

    def foresee(self, drafts: Sequence[Draft], delivery: Delivery) -> list[Foreseen]:
        """What of them is new, says something else, or is there."""
        drafts = [_numbered(draft) for draft in drafts]
        stored = _find_stored(drafts, delivery.source_id)
        return [_foresee(draft.content, stored.get(str(draft.content.submission.dedupe_key))) for draft in drafts]

    def list_places(self) -> list[str]:
        """Feedback has one place."""
        return []

    def remove(self, *, run_id: UUID, limit: int, now: datetime) -> Mapping[str, int]:
        """What was changed says again what it said before, and what was added goes, with all that came of it."""
        restored = _restore(run_id, limit, now)
        if restored:
            return {"restored": restored}
        removed = _remove_items(run_id, limit)
        return {"feedback": removed} if removed else {}


def _numbered(draft: Draft) -> Draft:
    """The draft with a key of its own when it is not the first of equal rows that are different things."""
    if draft.nth == 1:
        return draft
    row: FeedbackRow = draft.content
    key = fingerprint(f"{row.submission.dedupe_key}\0{draft.nth}".encode())
    return replace(draft, content=replace(row, submission=replace(row.submission, dedupe_key=key)))


def _foresee(row: FeedbackRow, before: "_Stored | None") -> Foreseen:
    if before is None:
        result = ADDED
    else:
        result = KNOWN if before.digest == row.digest or before.is_erased or not row.has_id else UPDATED
    return Foreseen(str(row.submission.dedupe_key), result, row.digest if row.has_id else "")


def _same_again(row: FeedbackRow, digest: str, first: int) -> Result:
    if row.digest == digest or not row.has_id:
        return KNOWN
    return Result(RowOutcome.REFUSED, other_words_under_one_id(first))


def _find_stored(drafts: Sequence[Draft], source_id: UUID) -> dict[str, _Stored]:
    keys = [str(draft.content.submission.dedupe_key) for draft in drafts]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.dedupe_key, r.id, coalesce(i.digest, ''), coalesce(i.changed_by_id, i.run_id), coalesce(i.row, 0),
                r.content ? 'erased'
            FROM raw_feedback_items r LEFT JOIN import_item i ON i.raw_item_id = r.id
            WHERE r.source_id = %s AND r.dedupe_key = ANY(%s)
            """,
            [source_id, keys],
        )
        return {row[0]: _Stored(*row[1:]) for row in cursor.fetchall()}


def _accept(drafts: Sequence[Draft], delivery: Delivery) -> dict[int, Result]:
    if not drafts:
        return {}
    answers = accept_batch(
        workspace_id=delivery.workspace_id, submissions=[one.content.submission for one in drafts], now=delivery.now
    )
    _let_others_go_first()
    ImportItem.objects.bulk_create(
        ImportItem(
            workspace_id=delivery.workspace_id,
            raw_item_id=answer.raw_item_id,
            run_id=delivery.run_id,
            row=draft.number,
            digest=draft.content.digest,
            created_at=delivery.now,
        )
        for draft, answer in zip(drafts, answers, strict=True)
        if answer.outcome == Outcome.ACCEPTED and answer.raw_item_id
    )
    return {
        draft.number: ADDED if answer.outcome == Outcome.ACCEPTED else KNOWN
        for draft, answer in zip(drafts, answers, strict=True)
    }


def _let_others_go_first() -> None:
    """Have the job that accepting has just written wait for those about what arrives meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE procrastinate_jobs SET priority = %s
            WHERE id = currval(pg_get_serial_sequence('procrastinate_jobs', 'id')) AND task_name = 'intake.enrich'
            """,
            [IN_SPARE_TIME],
        )


def _say_anew(changed: Sequence[tuple[_Stored, Draft]], delivery: Delivery) -> None:
    """Items keep their ids, receipts and what the team did with them; what they said before is kept as a revision."""
    if not changed:
        return
    policy = get_policy(delivery.workspace_id)
    items = RawItem.objects.select_for_update().in_bulk([before.item_id for before, _ in changed])
    rows = []
    for before, draft in changed:
        item = items[before.item_id]
        _keep_revision(item, before.digest, delivery)
        rows.append(prepare(draft.content.submission, now=delivery.now, policy=policy, item_id=item.id))
    reread = [item for item in items.values() if _is_reworded(item, rows)]
    forget_understood([item.id for item in reread])
    _write(items, rows, delivery.now)
    _reseal(rows, policy)
    for before, draft in changed:
        ImportItem.objects.filter(raw_item=before.item_id).update(
            digest=draft.content.digest, changed_by=delivery.run_id, row=draft.number
        )
        if not before.digest:
            ImportItem.objects.get_or_create(
                workspace_id=delivery.workspace_id,
                raw_item_id=before.item_id,
                defaults={"run_id": delivery.run_id, "row": draft.number, "digest": draft.content.digest},
            )
    _read_again(reread, delivery.now)
    _refresh_triage(list(items), delivery.workspace_id)


def _keep_revision(item: RawItem, digest: str, delivery: Delivery) -> None:
    before = json.loads(encode([{name: getattr(item, name) for name in CHANGED}]))[0]
    ImportRevision.objects.create(
        workspace_id=delivery.workspace_id,
        raw_item=item,
        run_id=delivery.run_id,
        before={**before, "digest": digest},
        created_at=delivery.now,
    )


def _is_reworded(item: RawItem, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what is understood from the item may change."""
    row = next(one for one in rows if one["id"] == item.id)
    stars = item.context_envelope.get("rating"), row["context_envelope"].get("rating")
    return bool(item.content != row["content"] or stars[0] != stars[1] or item.category != row["category"])


def _write(items: Mapping[UUID, RawItem], rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    for row in rows:
        item = items[row["id"]]
        for name in CHANGED:
            setattr(item, name, row[name])
        item.updated_at = now
    with erasing():
        update_rows(list(items.values()), [*CHANGED, "updated_at"])


def _reseal(rows: Sequence[Mapping[str, Any]], policy: Policy) -> None:
    """What was taken out of the words as they are now, in place of what was taken out of those before."""
    VaultValue.objects.filter(raw_item__in=[row["id"] for row in rows]).delete()
    sealed = [row for row in rows if "sealed" in row] if policy.seals else []
    with connection.cursor() as cursor:
        for row in sealed:
            one = json.loads(encode([row["sealed"]]))[0]
            cursor.execute(
                """
                INSERT INTO vault_key (id, workspace_id, principal_id, wrapped, created_at)
                VALUES (%s, %s, NULL, decode(%s, 'base64'), now())
                """,
                [one["key_id"], str(policy.workspace_id), one["wrapped"]],
            )
            for token, value in one["values"].items():
                cursor.execute(
                    """
                    INSERT INTO vault_value (id, workspace_id, raw_item_id, key_id, token, sealed, created_at)
                    VALUES (gen_random_uuid(), %s, %s, %s, %s, decode(%s, 'base64'), now())
                    """,
                    [str(policy.workspace_id), row["id"], one["key_id"], token, value],
                )


def _read_again(items: Sequence[RawItem], now: datetime) -> None:
    for item in items:
        item.processing_state, item.state_changed_at = ItemState.PENDING_CONTEXT, now
        item.lease_until, item.attempt_count = None, 0
    update_rows(items, ["processing_state", "state_changed_at", "lease_until", "attempt_count"])
    if items:
        enqueue(items=items)


def _refresh_triage(item_ids: Sequence[UUID], workspace_id: UUID) -> None:
    defer("triage.refresh", queue=Queue.INGEST, workspace_id=workspace_id, item_ids=[str(one) for one in item_ids])


def _restore(run_id: UUID, limit: int, now: datetime) -> int:
    """Have items say again what they said before a run changed them, unless another import has changed them since."""
    revisions = list(ImportRevision.objects.filter(run_id=run_id).order_by("-id")[:limit])
    if not revisions:
        return 0
    last = dict(ImportItem.objects.filter(changed_by=run_id).values_list("raw_item_id", "id"))
    ours = {one.raw_item_id: one for one in revisions if one.raw_item_id in last}
    items = RawItem.objects.select_for_update().exclude(content__has_key="erased").in_bulk(list(ours))
    rows = [{**ours[item_id].before, "id": item_id} for item_id in items]
    for row in rows:
        row["source_created_at"] = datetime.fromisoformat(row["source_created_at"])
    reread = [item for item in items.values() if _is_reworded(item, rows)]
    forget_understood([item.id for item in reread])
    _write(items, rows, now)
    for row in rows:
        ImportItem.objects.filter(raw_item=row["id"]).update(digest=row["digest"], changed_by=None)
    _read_again(reread, now)
    if items:
        _refresh_triage(list(items), next(iter(items.values())).workspace_id)
    ImportRevision.objects.filter(id__in=[one.id for one in revisions]).delete()
    return len(revisions)


def _remove_items(run_id: UUID, limit: int) -> int:
    ids = list(ImportItem.objects.filter(run_id=run_id).order_by("id").values_list("raw_item_id", flat=True)[:limit])
    if not ids:
        return 0
    forget_understood(ids)
    destroy_keys(principal_ids=[], raw_item_ids=ids)
    with erasing():
        RawItem.objects.filter(id__in=ids).delete()
    return len(ids)
