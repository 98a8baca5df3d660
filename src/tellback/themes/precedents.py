"""Keeping to what people put right: when an item is read again, and when somebody else says the same."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from tellback.themes import rules
from tellback.themes.corrections import write_value
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.models import CorrectedField, Correction, Signal

#: How many of the latest corrections new signals are compared with.
REMEMBERED = 2000
SETTLE = frozenset({CorrectedField.THEME, CorrectedField.NOT_FEEDBACK})
#: What was made of one wording: field and value.
Changes = dict[str, Any]


@dataclass(slots=True)
class Precedents:
    """The corrections that a batch of signals is held to.

    `vectors` has a row for each corrected wording, newest first, and `changes` what people made of it; `of_items` holds
    the corrections that were made on the items of the batch. Themes in them are where those are today.
    """

    vectors: rules.Matrix
    changes: list[Changes]
    of_items: dict[UUID, list[Correction]]

    @classmethod
    def load(cls, *, model: str, item_ids: Sequence[UUID]) -> "Precedents":
        """What holds now, for signals of this embedding model. Three queries at the most."""
        held = Correction.objects.filter(undone_at=None).order_by("-created_at", "-id")
        latest = list(held.filter(embedding_model=model).exclude(embedding=None)[:REMEMBERED])
        own = list(held.filter(raw_feedback_item_id__in=item_ids))
        themes = _themes_now([*latest, *own])
        wordings: dict[tuple[UUID, str], tuple[rules.Vector, Changes]] = {}
        for one in latest:
            value = _value_now(one, themes, only_open=True)
            if value is None:
                continue
            key = (one.raw_feedback_item_id, str(one.evidence_spans))
            wordings.setdefault(key, (one.embedding, {}))[1].setdefault(one.field, value)
        of_items: dict[UUID, list[Correction]] = defaultdict(list)
        for one in reversed(own):
            one.new_value = _value_now(one, themes, only_open=False)
            of_items[one.raw_feedback_item_id].append(one)
        found = list(wordings.values())
        vectors = np.array([vector for vector, _changes in found], dtype=np.float32)
        return cls(vectors, [changes for _vector, changes in found], dict(of_items))

    def hold(self, signal: Signal, vector: rules.Vector | None, space: rules.Space) -> bool:
        """Keep to what people said of these words, or of words as good as the same; whether that settles the theme.

        Without a `vector` of this embedding model only the very words count.
        """
        own = [
            one
            for one in self.of_items.get(signal.raw_feedback_item_id, [])
            if rules.shares_words(one.evidence_spans, signal.evidence_spans)
        ]
        if own:
            for one in own:
                one.signal = signal
            return _follow(signal, {one.field: one.new_value for one in own}, _("A person put it right"))
        nearest = None if vector is None else rules.nearest_precedent(vector, self.vectors, space)
        if nearest is None:
            return False
        return _follow(signal, self.changes[nearest], _("A person put the same right before"))

    def save(self) -> None:
        """Remember which signals now stand for the words that corrections are about."""
        Correction.objects.bulk_update([one for own in self.of_items.values() for one in own], ["signal"])


def _follow(signal: Signal, changes: Changes, reason: str) -> bool:
    for name, value in changes.items():
        if value is not None:
            write_value(signal, name, value, reason=reason)
    return any(changes.get(name) is not None for name in SETTLE)


def _value_now(correction: Correction, themes: dict[UUID, Theme], *, only_open: bool) -> Any:
    """What the correction says today: a theme that was merged is its successor; None when it says nothing any more."""
    if correction.field != CorrectedField.THEME:
        return correction.new_value
    theme = themes.get(UUID(str(correction.new_value)))
    for _step in range(20):
        if theme is None or theme.merged_into_theme_id is None:
            break
        theme = themes.get(theme.merged_into_theme_id)
    if theme is None or (only_open and theme.status not in {ThemeStatus.ACTIVE, ThemeStatus.CANDIDATE}):
        return None
    return str(theme.id)


def _themes_now(corrections: Iterable[Correction]) -> dict[UUID, Theme]:
    """The themes that corrections name, and their successors."""
    found: dict[UUID, Theme] = {}
    wanted = {UUID(str(one.new_value)) for one in corrections if one.field == CorrectedField.THEME and one.new_value}
    while wanted:
        found |= Theme.objects.only("id", "status", "merged_into_theme_id").in_bulk(wanted)
        successors = {theme.merged_into_theme_id for theme in found.values() if theme.merged_into_theme_id}
        wanted = {theme_id for theme_id in successors if theme_id} - set(found)
    return found
