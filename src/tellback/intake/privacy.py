"""What intake and the rooms below it hold of a person."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q

from tellback.effects.models import Effect, EffectState, KeptMail
from tellback.intake.attachments.services import erase_attachments
from tellback.intake.importing.keeping import drop_idle_files
from tellback.intake.models import Attachment, IdempotencyKey, ImportRevision, RawItem, VaultValue
from tellback.intake.subjects.erasing import empty_items
from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.scrubbing import Scrubber
from tellback.intake.subjects.subject import Subject
from tellback.intake.vault.services import destroy_keys, open_item
from tellback.kernel.ids import to_public
from tellback.workspaces.models import AuditEntry, ExternalIdentity, Principal, PrincipalMerge, Role, User
from tellback.workspaces.selectors import list_memberships


def _list_identity(subject: Subject) -> Iterator[Record]:
    for person in Principal.objects.filter(id__in=subject.principal_ids):
        content = {
            "name": person.display_name,
            "email": person.email,
            "company": person.company,
            "plan": person.plan,
            "mrr": str(person.mrr) if person.mrr is not None else None,
            "role": person.role,
            "known_since": person.created_at.isoformat(),
            "wants_no_mail_since": person.unsubscribed_at.isoformat() if person.unsubscribed_at else None,
        }
        yield Record("person", person.public_id, content)
    for identity in ExternalIdentity.objects.filter(principal__in=subject.principal_ids):
        content = {
            "source": identity.source_type,
            "id_there": identity.external_user_id,
            "name_there": identity.external_name,
            "email_there": identity.external_email,
        }
        yield Record("identity", identity.public_id, content)
    done = AuditEntry.objects.filter(actor__in=subject.principal_ids) | AuditEntry.objects.filter(
        subject__in=[to_public(Principal.id_prefix, one) for one in subject.principal_ids]
    )
    for entry in done.order_by("created_at").distinct():
        content = {"at": entry.created_at.isoformat(), "action": entry.action, "subject": entry.subject}
        yield Record("audit_entry", entry.public_id, content)


def _erase_identity(subject: Subject, now: datetime) -> Mapping[str, int]:
    """The row stays as nobody, so that what is counted by people stays counted."""
    people = list(Principal.objects.filter(id__in=subject.principal_ids).select_related("user"))
    users = [person.user for person in people if person.user]
    return {
        "identities": ExternalIdentity.objects.filter(principal__in=subject.principal_ids).delete()[0],
        "audit entries": Scrubber(subject).rows("audit_entry", ["details"]),
        "merges": PrincipalMerge.objects.filter(
            Q(kept__in=subject.principal_ids) | Q(merged__in=subject.principal_ids)
        ).delete()[0],
        "people": Principal.objects.filter(id__in=subject.principal_ids).update(
            display_name="",
            email="",
            company="",
            plan="",
            mrr=None,
            user=None,
            role=Role.USER,
            unsubscribed_at=now,
            erased_at=now,
            updated_at=now,
        ),
        "sign-ins": sum(_end_login(user) for user in users),
    }


def _end_login(user: User) -> int:
    """A login that belongs to no other workspace goes, with its sessions."""
    if list_memberships(user):
        return 0
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
    user.delete()
    return 1


def _list_effects(subject: Subject) -> Iterator[Record]:
    for mail in KeptMail.objects.filter(to__in=subject.emails).order_by("created_at"):
        content = {"at": mail.created_at.isoformat(), "to": mail.to, "subject": mail.subject, "text": mail.text}
        yield Record("mail", mail.public_id, content)
    for effect in Effect.objects.filter(kind="mail", payload__to__in=subject.emails).order_by("created_at"):
        content = {
            "at": effect.created_at.isoformat(),
            "state": effect.state,
            "subject": effect.payload.get("subject"),
            "text": effect.payload.get("text"),
        }
        yield Record("outgoing_mail", effect.public_id, content)


def _erase_effects(subject: Subject, now: datetime) -> Mapping[str, int]:
    scrubber = Scrubber(subject)
    theirs = Effect.objects.filter(kind="mail", payload__to__in=subject.emails)
    for person_id in subject.principal_ids:
        theirs = theirs | Effect.objects.filter(key__endswith=f":{person_id}")
    ids = list(theirs.values_list("id", flat=True))
    counts = {"kept mails": KeptMail.objects.filter(effect__in=ids).delete()[0]}
    for email in subject.emails:
        counts["kept mails"] += KeptMail.objects.filter(to__icontains=email).delete()[0]
    Effect.objects.filter(id__in=ids, state__in=[EffectState.PENDING, EffectState.DELIVERING]).update(
        state=EffectState.SUPPRESSED, delivered_at=now, lease_until=None
    )
    counts["effects"] = Effect.objects.filter(id__in=ids).update(payload={"erased": True}, last_error=None)
    counts["effects"] += scrubber.rows("effect", ["payload", "key", "last_error"])
    counts["kept mails"] += scrubber.rows("kept_mail", ["to", "subject", "text", "html", "headers"])
    counts["events"] = scrubber.rows("event", ["payload"])
    counts["jobs"] = _erase_jobs(scrubber)
    return counts


#: Jobs belong to no table of the workspace, but carry its id.
_OWN_JOBS = "args->>'workspace_id' = nullif(current_setting('tellback.workspace_id', true), '')"
_OWN_FAILURES = f"job_id IN (SELECT id FROM procrastinate_jobs WHERE {_OWN_JOBS})"  # noqa: S608 - a constant


def _erase_jobs(scrubber: Scrubber) -> int:
    waiting = scrubber.rows("procrastinate_jobs", ["args"], where=_OWN_JOBS)
    return waiting + scrubber.rows("job_failure", ["error"], where=_OWN_FAILURES, key="job_id")


def _list_items(subject: Subject) -> Iterator[Record]:
    """With the originals, where they are sealed: they are the person's own."""
    sealed = set(VaultValue.objects.filter(raw_item__in=subject.item_ids).values_list("raw_item_id", flat=True))
    for item in RawItem.objects.filter(id__in=subject.item_ids).select_related("source").order_by("id").iterator():
        content = {
            "said_at": item.source_created_at.isoformat(),
            "received_at": item.created_at.isoformat(),
            "source": item.source.name,
            "channel": item.channel,
            "category": item.category,
            "severity": item.severity,
            "external_id": item.external_id,
            "external_url": item.external_url,
            "content": item.content,
            "author": item.author,
            "context": item.context_envelope,
            "originals": {one.token: one.original for one in open_item(item=item)} if item.id in sealed else {},
        }
        yield Record("feedback", item.public_id, content)
    for revision in ImportRevision.objects.filter(raw_item__in=subject.item_ids).select_related("raw_item"):
        content = {"feedback": revision.raw_item.public_id, "until": revision.created_at.isoformat()}
        yield Record("earlier_words", revision.public_id, {**content, "said": revision.before})
    yield from _list_attachments(subject)


def _list_attachments(subject: Subject) -> Iterator[Record]:
    for file in Attachment.objects.filter(raw_item__in=subject.item_ids).select_related("raw_item").order_by("id"):
        content = {"feedback": file.raw_item.public_id, "name": file.name, "type": file.media_type}
        yield Record("attachment", file.public_id, content, {f"{file.public_id}-{file.name}": file.file_key})


def _erase_items(subject: Subject, now: datetime) -> Mapping[str, int]:
    counts = {"sealed values": destroy_keys(principal_ids=subject.principal_ids, raw_item_ids=subject.item_ids)}
    counts["attachments"] = erase_attachments(item_ids=subject.item_ids)
    counts["items"] = empty_items(subject.item_ids, why=subject.why, now=now)
    counts["idempotency keys"] = IdempotencyKey.objects.filter(raw_item_id__in=subject.item_ids).delete()[0]
    scrubber = Scrubber(subject)
    counts["imports"] = scrubber.rows("import_run", ["file_name", "plan", "problem"])
    counts["imports"] += scrubber.rows("import_refusal", ["reason"])
    counts["revisions"] = ImportRevision.objects.filter(raw_item__in=subject.item_ids).delete()[0]
    counts["import files"] = drop_idle_files()
    counts["sources"] = scrubber.rows("feedback_sources", ["last_error"])
    counts["logs"] = _erase_error_log(scrubber)
    return counts


def _erase_error_log(scrubber: Scrubber) -> int:
    """The traceback that a failed command left in the data folder."""
    path = Path(settings.DATA_DIR) / "last-error.log"
    with contextlib.suppress(OSError):
        before = path.read_text()
        after = scrubber.text(before)
        if after != before:
            path.write_text(after)
            return 1
    return 0


def _expire_items(item_ids: Sequence[UUID]) -> int:
    ImportRevision.objects.filter(raw_item__in=item_ids).delete()
    return destroy_keys(principal_ids=[], raw_item_ids=item_ids) + erase_attachments(item_ids=item_ids)


holds(Holding("workspaces", _list_identity, _erase_identity))
holds(Holding("effects", _list_effects, _erase_effects))
holds(Holding("intake", _list_items, _erase_items, _expire_items))
