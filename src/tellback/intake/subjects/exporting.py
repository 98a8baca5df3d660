"""Everything about one person, in a file they can take with them: JSON for programs, a page for people."""

import contextlib
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from html import escape
from pathlib import Path
from typing import IO, Any

from django.db import transaction

from tellback.intake.subjects.holders import Record, list_holdings
from tellback.intake.subjects.subject import Subject, subject_of_person
from tellback.kernel.errors import NotFound
from tellback.platform.files import get_files
from tellback.workspaces.models import Principal
from tellback.workspaces.services import record_audit

FORMAT = "tellback-person-export/1"
#: What `data.json` may hold. A new kind of record, or a new part of one, is described there too.
SCHEMA = Path(__file__).with_name("export.schema.json")
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "article{border-top:1px solid #ccc;padding:.5rem 0}dt{color:#666}dd{margin:0 0 .5rem;white-space:pre-wrap}"
)
TITLES = {
    "person": "Who you are",
    "identity": "Who you are elsewhere",
    "feedback": "What you said",
    "earlier_words": "What that said before it was changed",
    "signal": "What we understood",
    "triage": "What became of it",
    "theme": "What others said too",
    "post": "Posts",
    "comment": "Comments",
    "vote": "Votes",
    "feedback_vote": "Feedback of others that you voted for",
    "subscription": "What you follow",
    "notification": "What we told you here",
    "told": "What we told you had shipped",
    "mail": "Mails that were kept",
    "outgoing_mail": "Mails to you",
    "attachment": "Files",
    "audit_entry": "What you did, and what was done about you",
}


@transaction.atomic
def export_person(*, person: Principal, actor: Principal | None, into: IO[bytes], now: datetime) -> int:
    """Write everything about a person of the present workspace to a zip file; returns how many records.

    `data.json` has every record as `schema.json` describes it, `index.html` the same to read, `files/` what they
    attached. Memory stays flat. Noted in the audit trail.
    """
    subject = subject_of_person(person)
    count = 0
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("data.json", "w", force_zip64=True) as data:
            for chunk in _json(subject, person, now):
                data.write(chunk.encode())
        with archive.open("index.html", "w", force_zip64=True) as page:
            for chunk in _html(subject, person, now):
                page.write(chunk.encode())
        archive.write(SCHEMA, "schema.json")
        for record in _records(subject):
            count += 1
            for name, key in record.files.items():
                with contextlib.suppress(NotFound):
                    archive.writestr(f"files/{name}", get_files().get(key))
    record_audit(
        workspace=person.workspace,
        actor=actor,
        action="person.exported",
        subject=person.public_id,
        details={"records": count},
    )
    return count


def _records(subject: Subject) -> Iterator[Record]:
    for holding in list_holdings():
        yield from holding.list_records(subject)


def _json(subject: Subject, person: Principal, now: datetime) -> Iterator[str]:
    head = {"format": FORMAT, "exported_at": now.isoformat(), "person": person.public_id}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "records": ['
    between = ""
    for record in _records(subject):
        shown = {"kind": record.kind, "id": record.id, **record.content}
        if record.files:
            shown["files"] = [f"files/{name}" for name in record.files]
        yield between + json.dumps(shown, ensure_ascii=False, default=str)
        between = ",\n"
    yield "]}\n"


def _html(subject: Subject, person: Principal, now: datetime) -> Iterator[str]:
    name = escape(str(person))
    yield (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title><style>{STYLE}</style></head>'
        f"<body><h1>{name}</h1><p>Everything that {escape(person.workspace.name)} knows about you, as of "
        f"{now:%d %B %Y, %H:%M} UTC. The file data.json has the same for programs.</p>"
    )
    kind = ""
    for record in _records(subject):
        if record.kind != kind:
            kind = record.kind
            yield f"<h2>{escape(TITLES.get(kind, kind.replace('_', ' ').capitalize()))}</h2>"
        yield f"<article><dl>{_definitions(dict(record.content))}</dl></article>"
    yield "</body></html>\n"


def _definitions(content: dict[str, Any]) -> str:
    return "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{_readable(value)}</dd>"
        for name, value in content.items()
        if value not in (None, "", [], {})
    )


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return f"<dl>{_definitions(value)}</dl>"
    if isinstance(value, list):
        return "<ul>" + "".join(f"<li>{_readable(one)}</li>" for one in value) + "</ul>"
    return escape(str(value))
