"""The themes that a language model may choose from: the strongest, and those that lie close to a signal."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from pgvector.django import CosineDistance

from tellback.sdk.engine import KnownTheme, Vectors
from tellback.themes import rules
from tellback.themes.candidates import OPEN
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.models import Signal
from tellback.understanding.taxonomy import NearThemes, offers_themes

#: How many themes every signal is shown, how many close ones each, and how many quotes of each theme.
SHARED, NEAR, QUOTES = 30, 8, 2
#: With so many themes all are compared in memory; above, the database picks the nearest for each signal.
COMPARE_ALL = 400
QUOTE_LENGTH = 160


def read_themes(vectors: Vectors, model: str) -> NearThemes:
    """The strongest active themes, and for each vector the closest of cosine 0.42 and more, nearest first."""
    open_themes = Theme.objects.filter(status__in=OPEN, centroid_model=model, centroid_embedding__isnull=False)
    rows = _rows(open_themes, vectors)
    strongest = sorted(
        (theme for theme in rows.values() if theme.status == ThemeStatus.ACTIVE),
        key=lambda theme: (-theme.strength, str(theme.id)),
    )[:SHARED]
    close = _closest(list(rows.values()), vectors)
    shown = {theme.id for theme in strongest} | {theme_id for near in close for theme_id, _ in near}
    quotes = _quotes(shown)
    known = {theme_id: _known(rows[theme_id], quotes.get(theme_id, [])) for theme_id in shown}
    return NearThemes(
        shared=tuple(known[theme.id] for theme in strongest),
        near=tuple(
            tuple(replace(known[theme_id], similarity=similarity) for theme_id, similarity in near) for near in close
        ),
    )


def _rows(themes: QuerySet[Theme], vectors: Vectors) -> dict[UUID, Theme]:
    """All open themes when there are few, else the strongest and the nearest of each vector."""
    if themes.count() > COMPARE_ALL:
        wanted = set(
            themes.filter(status=ThemeStatus.ACTIVE).order_by("-strength", "id").values_list("id", flat=True)[:SHARED]
        )
        for vector in vectors:
            nearest = themes.order_by(CosineDistance("centroid_embedding", vector))
            wanted.update(nearest.values_list("id", flat=True)[:NEAR])
        themes = themes.filter(id__in=wanted)
    return {theme.id: theme for theme in themes.order_by("id")}


def _closest(themes: Sequence[Theme], vectors: Vectors) -> list[list[tuple[UUID, float]]]:
    if not themes or not len(vectors):
        return [[] for _ in range(len(vectors))]
    centroids = np.array([theme.centroid_embedding for theme in themes], dtype=np.float32)
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-6)
    cosines = vectors @ centroids.T
    return [
        [
            (themes[place].id, float(row[place]))
            for place in np.argsort(-row)[:NEAR]
            if row[place] >= rules.CANDIDATE_COSINE
        ]
        for row in cosines
    ]


def _quotes(theme_ids: set[UUID]) -> dict[UUID, list[str]]:
    """The evidence that lies closest to each theme's centre."""
    order = Window(
        RowNumber(), partition_by=F("theme_id"), order_by=[F("theme_similarity").desc(nulls_last=True), F("id")]
    )
    rows = (
        Signal.objects.filter(theme_id__in=theme_ids)
        .exclude(summary="")
        .annotate(place=order)
        .filter(place__lte=QUOTES)
    )
    quotes: dict[UUID, list[str]] = {}
    for theme_id, evidence, summary in rows.values_list("theme_id", "evidence", "summary"):
        assert theme_id
        quotes.setdefault(theme_id, []).append((evidence[0] if evidence else summary)[:QUOTE_LENGTH])
    return quotes


def _known(theme: Theme, quotes: Sequence[str]) -> KnownTheme:
    return KnownTheme(
        id=str(theme.id),
        title=theme.title,
        summary=theme.summary,
        board_id=str(theme.board_id) if theme.board_id else None,
        signal_count=theme.signal_count,
        top_signals=tuple(quotes),
    )


offers_themes(read_themes)
