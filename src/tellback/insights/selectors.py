"""The search: by words and by meaning, as one list, best first."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from pgvector.django import CosineDistance
from psycopg import sql

from tellback.boards.models import Post
from tellback.insights import rules
from tellback.insights.languages import LIKELY, UNTOLD
from tellback.insights.models import Kind, SearchEntry
from tellback.insights.services import facets
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.engine import Meaning, find_meaning
from tellback.understanding.nearest import EVERYTHING, nearest_signals

LONGEST_QUERY = 300
#: How many results there are at most.
MOST = 100
#: Of all that have a word the latest so many are ranked, in each language.
RANKED = 2_000
#: So many of each list are taken together.
DEPTH = 200
#: Below this cosine what is nearest is not near: of needs to a question in a few words.
NEAR_ENOUGH = 0.35

_LITERAL = re.compile(r'"|(?<!\S)-\w|(?<!\S)or(?!\S)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """What a search is narrowed to; an empty part narrows nothing. What does not know a part does not fit it."""

    kinds: tuple[str, ...] = ()
    source: str = ""
    type: str = ""
    board: str = ""
    sentiment: str = ""
    urgency: str = ""
    plan: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def facets(self) -> list[str]:
        """The parts that entries hold."""
        return facets(
            source=[self.source],
            type=[self.type],
            board=[self.board],
            sentiment=[self.sentiment],
            urgency=[self.urgency],
            plan=[self.plan],
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the kind narrows it."""
        return bool(self.facets or self.since or self.until)

    @property
    def shown_kinds(self) -> tuple[str, ...]:
        """The kinds that results have. A need is shown as the feedback that it is of, unless only needs are wanted."""
        kinds = self.kinds or tuple(Kind.values)
        return tuple(kind for kind in kinds if kind != Kind.SIGNAL) if Kind.FEEDBACK in kinds else kinds


#: What is found: its kind and id.
Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Hit:
    """One result before it is looked up: how well it fits, by what it was found, and the needs that lie near."""

    key: Key
    score: float
    by_words: bool
    by_meaning: bool
    near_signals: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """All results, best first. `asked` is the query in each language; `meant` whether meaning was compared too."""

    hits: list[Hit]
    asked: "list[Asked]"
    meant: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in one language, in PostgreSQL's form: its words, and its words as beginnings."""

    language: str
    exact: str
    wide: str


def is_literal(query: str) -> bool:
    """Whether it has a phrase in quotes, a word with a minus or an "or": then it is taken by its words alone."""
    return bool(_LITERAL.search(query))


def find(*, workspace_id: UUID, query: str, wanted: SearchFilter) -> Hits:
    """What fits a query within the present workspace. A bounded number of queries, whatever there is.

    By words in the language of each thing, and, unless the query is literal or nothing makes vectors now, by meaning.
    """
    query = " ".join(query.replace("\0", " ").split())[:LONGEST_QUERY]
    if not query:
        return Hits([], [], meant=False)
    asked = _asked(query)
    by_words = _by_words(asked, wanted)
    meaning = None if is_literal(query) else find_meaning(workspace_id, query)
    near, signals = _by_meaning(meaning, wanted) if meaning else ([], {})
    words, meant = set(by_words), set(near)
    hits = [
        Hit(key, score, key in words, key in meant, tuple(signals.get(key, ())))
        for key, score in rules.fused([by_words, near])
    ]
    return Hits(hits[:DEPTH], asked, meant=meaning is not None)


def _asked(query: str) -> list[Asked]:
    """The query in each language that there is something in."""
    with connection.cursor() as cursor:
        mixed = sql.SQL(" || ").join(
            sql.SQL("websearch_to_tsquery({}, %(query)s)").format(sql.Literal(name)) for name in LIKELY
        )
        cursor.execute(
            sql.SQL("""
                SELECT language, CASE language WHEN {untold} THEN ({mixed})::text
                                 ELSE websearch_to_tsquery(language::regconfig, %(query)s)::text END
                FROM tellback_search_languages()
            """).format(untold=sql.Literal(UNTOLD), mixed=mixed),
            {"query": query},
        )
        return [Asked(language, exact, rules.widened(exact)) for language, exact in cursor.fetchall() if exact]


def _by_words(asked: Sequence[Asked], wanted: SearchFilter) -> list[Key]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind FROM tellback_search_words(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [one.language for one in asked],
                [one.exact for one in asked],
                [one.wide for one in asked],
                [str(kind) for kind in wanted.shown_kinds],
                wanted.facets,
                wanted.since,
                wanted.until,
                RANKED,
                DEPTH,
            ],
        )
        return [(kind, id) for id, kind in cursor.fetchall()]


def _by_meaning(meaning: Meaning, wanted: SearchFilter) -> tuple[list[Key], dict[Key, list[UUID]]]:
    """Nearest first; for each result the needs that lie near."""
    found: list[tuple[float, Key]] = []
    signals: dict[Key, list[UUID]] = {}
    if {Kind.SIGNAL, Kind.FEEDBACK} & set(wanted.shown_kinds):
        narrowed = _narrowed(wanted) if wanted.is_narrow else EVERYTHING
        for near in nearest_signals(meaning.vector, model=meaning.model, limit=DEPTH, narrowed=narrowed)[0]:
            # A need stands for its feedback, unless only needs are wanted.
            folds = Kind.FEEDBACK in wanted.shown_kinds
            key: Key = (Kind.FEEDBACK, near.item_id) if folds else (Kind.SIGNAL, near.signal_id)
            if near.cosine >= NEAR_ENOUGH:
                signals.setdefault(key, []).append(near.signal_id)
                found.append((near.cosine, key))
    if Kind.THEME in wanted.shown_kinds:
        themes = Theme.objects.filter(status=ThemeStatus.ACTIVE, centroid_model=meaning.model)
        found += _near_rows(themes, "centroid_embedding", Kind.THEME, meaning, wanted)
    if Kind.POST in wanted.shown_kinds:
        posts = Post.objects.filter(canonical_post=None, embedding_model=meaning.model)
        found += _near_rows(posts, "embedding", Kind.POST, meaning, wanted)
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    return list(dict.fromkeys(key for _cosine, key in found)), signals


def _near_rows(
    rows: "QuerySet[Theme] | QuerySet[Post]", column: str, kind: Kind, meaning: Meaning, wanted: SearchFilter
) -> list[tuple[float, Key]]:
    rows = rows.exclude(**{column: None})
    if wanted.is_narrow:
        entries = SearchEntry.objects.filter(kind=kind, facets__contains=wanted.facets)
        entries = entries.filter(at__gte=wanted.since) if wanted.since else entries
        entries = entries.filter(at__lt=wanted.until) if wanted.until else entries
        rows = rows.filter(id__in=entries.values("id"))
    distance = CosineDistance(column, meaning.vector[0])
    near = rows.annotate(distance=distance).order_by("distance", "id").values_list("distance", "id")[:DEPTH]
    return [(1 - float(away), (kind, id)) for away, id in near if 1 - float(away) >= NEAR_ENOUGH]


def _narrowed(wanted: SearchFilter) -> sql.Composable:
    """The condition of the filter on the table of vectors."""
    conditions = [sql.SQL("e.id = v.id AND e.facets @> {}::text[]").format(_literal(wanted.facets))]
    if wanted.since:
        conditions.append(sql.SQL("e.at >= {}").format(_literal(wanted.since)))
    if wanted.until:
        conditions.append(sql.SQL("e.at < {}").format(_literal(wanted.until)))
    return sql.SQL("EXISTS (SELECT 1 FROM search_entry e WHERE {})").format(sql.SQL(" AND ").join(conditions))


def _literal(value: object) -> sql.SQL:
    """A value as a literal in a statement that is run with parameters: a per cent sign in it is none of theirs."""
    return sql.SQL(sql.Literal(value).as_string().replace("%", "%%"))


def marked(asked: Sequence[Asked], texts: Iterable[tuple[str, str]]) -> list[str]:
    """Each of these texts, given with its language, with the query's words between `rules.START` and `rules.STOP`."""
    queries = {one.language: one.wide for one in asked}
    rows = [(n, language, text) for n, (language, text) in enumerate(texts)]
    shown = [text for _n, _language, text in rows]
    known = [row for row in rows if row[1] in queries and row[2]]
    if not known:
        return shown
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.number, ts_headline(n.language::regconfig, n.text, n.query::tsquery, %s)
            FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS n (number, language, text, query)
            """,
            [
                f"HighlightAll=true, StartSel={rules.START}, StopSel={rules.STOP}",
                [n for n, _language, _text in known],
                # Words as they stand, of which the stems are the beginnings.
                ["simple" if language == UNTOLD else language for _n, language, _text in known],
                [text for _n, _language, text in known],
                [queries[language] for _n, language, _text in known],
            ],
        )
        for number, headline in cursor.fetchall():
            shown[number] = headline
    return shown
