"""Taking a subject's traces out of texts that are about something else: audit details, mails, events, jobs."""

import json
import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from psycopg import sql

from tellback.intake.subjects.subject import Subject

ERASED = "[erased]"


class Scrubber:
    """Replaces what identifies a subject, and what they said, by `[erased]`."""

    def __init__(self, subject: Subject) -> None:
        self._sayings = subject.sayings
        self._names = (
            re.compile(r"(?<![\w.+%-])(?:" + "|".join(map(re.escape, subject.names)) + r")(?![\w-])", re.IGNORECASE)
            if subject.names
            else None
        )
        words = [*subject.sayings, *subject.names]
        escaped = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words]
        self.traces = [f"%{_like(word)}%" for word in dict.fromkeys([*words, *escaped])]

    def text(self, text: str) -> str:
        """The text without them."""
        for saying in self._sayings:
            text = text.replace(saying, ERASED)
        return self._names.sub(ERASED, text) if self._names else text

    def value(self, value: Any) -> Any:
        """A JSON value without them, in its keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        return value

    def rows(self, table: str, columns: Sequence[str], *, where: str = "true", key: str = "id") -> int:
        """Rows of a table cleaned in these columns (text or JSON); returns how many were changed.

        `table`, `columns`, `where` and `key` are ours, never anybody's input.
        """
        if not self.traces:
            return 0
        names = sql.SQL(", ").join(map(sql.Identifier, (key, *columns)))
        about = sql.SQL(" OR ").join(sql.SQL("{}::text ILIKE ANY(%s)").format(sql.Identifier(one)) for one in columns)
        find = sql.SQL("SELECT {} FROM {} WHERE ({}) AND {}").format(
            names,
            sql.Identifier(table),
            about,
            sql.SQL(where),
        )
        with connection.cursor() as cursor:
            cursor.execute(find, [self.traces] * len(columns))
            changed = 0
            for row_id, *values in cursor.fetchall():
                changed += self._save(table, key, row_id, dict(zip(columns, values, strict=True)))
        return changed

    def _save(self, table: str, key: str, row_id: Any, row: dict[str, Any]) -> int:
        clean = {name: self._clean(value) for name, value in row.items()}
        changes = {name: value for name, value in clean.items() if value != row[name]}
        if not changes:
            return 0
        assigned = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in changes)
        update = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(sql.Identifier(table), assigned, sql.Identifier(key))
        with connection.cursor() as cursor:
            cursor.execute(update, [*changes.values(), row_id])
        return 1

    def _clean(self, value: Any) -> Any:
        """Columns of JSON arrive as text here (Django's cursor), and are told by their first character."""
        if isinstance(value, str) and value[:1] in "{[":
            try:
                return json.dumps(self.value(json.loads(value)), ensure_ascii=False)
            except ValueError:
                return self.text(value)
        return self.text(value) if isinstance(value, str) else value


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
