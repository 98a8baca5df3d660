"""The words of themes: titles and summaries, what they rest on, and the language model that may say them better.

No summary stands without the signals that it rests on: when they leave the theme, others that say the same are cited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _
from pgvector.django import CosineDistance

from tellback.engines.openai import PASSING
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Description, Engine, Vectors
from tellback.themes import rules
from tellback.themes.candidates import OPEN
from tellback.themes.models import ChangeKind, ChangeState, Theme, ThemeChange, ThemeSpace, ThemeStatus
from tellback.understanding.models import Signal

#: How many of a theme's sentences its title is made of.
DESCRIBED_SIGNALS = 80
#: How many signals are cited for a summary that came without.
CITED = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What a theme's words are made of: its signals in their own words, those nearest its centre first."""

    signal_ids: list[UUID]
    texts: list[str]
    vectors: Vectors


def describe(theme: Theme, engine: Engine, background: rules.Vector | None) -> None:
    """Words at once; where better ones follow for a theme that has none yet, these are for the meantime only."""
    said = read_said(theme)
    if not said.texts:
        return
    was_named = theme.described_at_count > 0
    theme.described_at_count = theme.signal_count
    if theme.wants_words and theme.described_by:
        return
    vectors = said.vectors
    if theme.centroid_model != engine.identity.embedding_model:
        vectors, background = engine.embed(said.texts), None
    words = engine.describe(said.texts, vectors, background=background)
    _say(theme, words, said, model=engine.identity.model, was_named=was_named)
    theme.described_by = "" if theme.wants_words and not was_named else engine.identity.model


def cite_anew(themes: Sequence[Theme], engine: Engine) -> None:
    """See to it that each summary cites signals of its theme: those that it rests on, else those closest to it."""
    cited = {signal_id for theme in themes for signal_id in theme.summary_cites}
    there = dict(Signal.objects.filter(id__in=cited).values_list("id", "theme_id"))
    for theme in themes:
        kept = [one for one in theme.summary_cites if there.get(UUID(one)) == theme.id]
        if theme.summary and (not kept or len(kept) < len(theme.summary_cites)):
            theme.summary_cites = kept or _closest_to_summary(theme, engine)


def _closest_to_summary(theme: Theme, engine: Engine) -> list[str]:
    said = read_said(theme)
    if not said.texts:
        return []
    if theme.centroid_model != engine.identity.embedding_model:
        return [str(one) for one in said.signal_ids[:CITED]]
    likeness = said.vectors @ engine.embed([theme.summary])[0]
    return [str(said.signal_ids[place]) for place in np.argsort(-likeness, kind="stable")[:CITED]]


def read_said(theme: Theme) -> Said:
    """The signals that a theme's words are made of."""
    signals = list(
        Signal.objects.filter(theme_id=theme.id, embedding__isnull=False, embedding_model=theme.centroid_model)
        .order_by(CosineDistance("embedding", theme.centroid_embedding), "id")
        .values_list("id", "summary", "embedding")[:DESCRIBED_SIGNALS]
    )
    return Said(
        [signal_id for signal_id, _summary, _vector in signals],
        [summary for _id, summary, _vector in signals],
        np.array([vector for _id, _summary, vector in signals], np.float32),
    )


def _say(theme: Theme, words: Description, said: Said, *, model: str, was_named: bool) -> None:
    """Take over a description; of a large theme that people know by its title the new title is only proposed."""
    theme.summary = words.summary
    theme.summary_cites = [str(said.signal_ids[place]) for place in words.cited]
    if theme.title_is_manual:
        return
    title = _free_title(theme, words)
    if was_named and theme.signal_count >= rules.SETTLED_SIZE:
        _propose_title(theme, title, model)
    else:
        theme.title = title


def _free_title(theme: Theme, words: Description) -> str:
    """The first of the titles that no other open theme has; the summary where all are taken."""
    wanted = [words.title, *words.other_titles]
    others = Theme.objects.filter(status__in=OPEN, title__in=wanted).exclude(pk=theme.pk)
    taken = {title.casefold() for title in others.values_list("title", flat=True)}
    return next((title for title in wanted if title.casefold() not in taken), words.summary.rstrip("."))


def _propose_title(theme: Theme, title: str, model: str) -> None:
    """People know a large theme by its title: a better one waits until somebody takes it."""
    ThemeChange.objects.filter(theme=theme, kind=ChangeKind.RENAME, state=ChangeState.PROPOSED).delete()
    known = ThemeChange.objects.filter(theme=theme, kind=ChangeKind.RENAME, title=title)
    if title.casefold() != theme.title.casefold() and not known.exists():
        ThemeChange.objects.create(
            workspace_id=theme.workspace_id,
            kind=ChangeKind.RENAME,
            state=ChangeState.PROPOSED,
            theme=theme,
            title=title,
            reason=_("It has grown since it got its title."),
            proposed_by=model,
        )


def word_next_theme(*, workspace_id: UUID, engine: Engine, now: datetime) -> bool:
    """Have a language model put one theme that waits for it into words; whether there was one and it did.

    The model is asked outside of any transaction. Its words are dropped when the theme was reworded in the meantime.
    Where it does not answer, the theme keeps its words and waits on.
    """
    with in_workspace(workspace_id):
        theme = Theme.objects.filter(wants_words=True, status=ThemeStatus.ACTIVE).order_by("-strength", "id").first()
        if theme is None:
            return False
        said = read_said(theme)
        space = ThemeSpace.objects.filter(embedding_model=engine.identity.embedding_model).first()
        background = np.asarray(space.mean_embedding, dtype=np.float32) if space else None
    words = engine.describe(said.texts, said.vectors, background=background) if said.texts else None
    fallback = words.origin.fallback if words and words.origin else ""
    with in_workspace(workspace_id):
        now_there = Theme.objects.select_for_update().filter(pk=theme.pk, described_at_count=theme.described_at_count)
        for kept in now_there:
            kept.wants_words = fallback in PASSING
            if words and words.origin and not fallback:
                _say(kept, words, said, model=words.origin.model, was_named=bool(kept.described_by))
                kept.described_by, kept.updated_at = words.origin.model, now
            kept.save(update_fields=["wants_words", "described_by", "title", "summary", "summary_cites", "updated_at"])
    return fallback not in PASSING
