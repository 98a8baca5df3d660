"""Very many pieces of feedback in a moment: the tables as they would be after all of it had been understood."""

import itertools
import random
from collections.abc import Iterator

import numpy as np
import psycopg

from tellback.cli.demo.dataset import read_items
from tellback.kernel.ids import new_id
from tellback.platform.vectors import vector_text
from tellback.sdk.engine import Vectors
from tellback.understanding.bands import bands_of

WORDS = 31  # about 40 tokens
#: Words beside the sample's, as rare as words are: the n-th is said 1/n as often as the first (Zipf).
VOCABULARY = 20_000
THEMES = 2_000
NEAREST = "signal_vectors_nearest_384"
#: How far a signal lies from the sentence that it is made from: its cosine to it is about 0.85.
NOISE = 0.03

#: One row for each signal, numbered; `item` is the number of its item, `place` its own within that.
_MADE = """
    CREATE UNLOGGED TABLE made (
        item int, place int, item_id uuid, signal_id uuid, text text, bands int[], vector halfvec)
"""
#: Every second item has a second need, and they were said over two years.
_TABLES = (
    """
    INSERT INTO raw_feedback_items (id, workspace_id, source_id, source_type, external_id, dedupe_key,
        source_created_at, author, content, context_envelope, channel, category, severity, receipt_token, silent,
        processing_state, state_changed_at, attempt_count, created_at, updated_at)
    SELECT item_id, %(workspace)s, %(source)s, 'api', item_id::text, item_id::text, at, '{}',
        jsonb_build_object('text', text), '{}', 'in-app', 'other', 'medium', replace(item_id::text, '-', ''), true,
        'completed', at, 1, at, at
    FROM (SELECT *, now() - interval '2 years' + item * interval '1 minute' AS at FROM made WHERE place = 0) AS made
    """,
    """
    INSERT INTO feedback_signals (id, created_at, updated_at, workspace_id, raw_feedback_item_id, position, signal_type,
        summary, evidence, evidence_spans, sentiment, urgency, extraction_confidence, processing_state, needs_review)
    SELECT signal_id, now(), now(), %(workspace)s, item_id, place,
        (ARRAY['feature_request', 'bug_report', 'question', 'complaint'])[1 + item %% 4], left(text, 160),
        jsonb_build_array(left(text, 160)),
        jsonb_build_array(jsonb_build_object('start', 0, 'end', length(left(text, 160)))),
        (ARRAY['negative', 'neutral', 'positive'])[1 + item %% 3], (ARRAY['high', 'medium', 'low'])[1 + item %% 3], 0.8,
        'completed', false
    FROM made
    """,
    """
    INSERT INTO signal_vectors (id, created_at, workspace_id, raw_feedback_item_id, embedding_model, embedding)
    SELECT signal_id, now(), %(workspace)s, item_id, %(model)s, vector FROM made
    """,
    """
    INSERT INTO feedback_print (id, created_at, workspace_id, bands)
    SELECT r.id, r.created_at, r.workspace_id, m.bands
    FROM made m JOIN raw_feedback_items r ON r.id = m.item_id WHERE m.place = 0
    """,
    """
    INSERT INTO search_entry (id, created_at, workspace_id, kind, raw_item_id, at, language, facets, words)
    SELECT r.id, now(), r.workspace_id, 'feedback', r.id, r.source_created_at, 'english',
        ARRAY['source:api', 'type:' || s.signal_type, 'sentiment:' || s.sentiment, 'urgency:' || s.urgency],
        setweight(to_tsvector('english', r.content->>'text'), 'B')
    FROM raw_feedback_items r JOIN feedback_signals s ON s.raw_feedback_item_id = r.id AND s.position = 0
    """,
    """
    INSERT INTO search_entry (id, created_at, workspace_id, kind, raw_item_id, at, language, facets, words)
    SELECT s.id, now(), s.workspace_id, 'signal', r.id, r.source_created_at, 'english',
        ARRAY['source:api', 'type:' || s.signal_type, 'sentiment:' || s.sentiment, 'urgency:' || s.urgency],
        setweight(to_tsvector('english', s.summary), 'A') || setweight(to_tsvector('english', s.evidence->>0), 'B')
    FROM feedback_signals s JOIN raw_feedback_items r ON r.id = s.raw_feedback_item_id
    """,
    """
    INSERT INTO feedback_themes (id, created_at, updated_at, workspace_id, title, summary, title_is_manual,
        described_at_count, status, strength, signal_count, unique_author_count, needs_review_count, is_stale,
        centroid_embedding, centroid_model, last_signal_at)
    SELECT gen_random_uuid(), now(), now(), %(workspace)s, left(text, 60), text, false, 1, 'active', 1, 50, 20, 0,
        false, vector::vector, %(model)s, now()
    FROM made WHERE place = 0 AND item < %(themes)s
    """,
    """
    INSERT INTO search_entry (id, created_at, workspace_id, kind, raw_item_id, at, language, facets, words)
    SELECT id, now(), workspace_id, 'theme', NULL, last_signal_at, 'english', '{}',
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')
    FROM feedback_themes
    """,
)


def texts_of_sample() -> list[str]:
    """What the sample says."""
    return [item.text for item in read_items()]


def fill(url: str, *, workspace_id: str, source_id: str, items: int, model: str, centres: Vectors) -> None:
    """Store `items` pieces of feedback around these vectors. Indexes that grow slowly are built at the end."""
    values = {"workspace": workspace_id, "source": source_id, "model": model, "themes": min(THEMES, items)}
    with psycopg.connect(url, autocommit=True) as owner:
        # Without triggers: what they would do is done here.
        owner.execute("SET session_replication_role = replica")
        row = owner.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [NEAREST]).fetchone()
        assert row
        owner.execute(f"DROP INDEX {NEAREST}")
        owner.execute(_MADE)
        with owner.cursor().copy("COPY made FROM STDIN") as rows:
            for made in _rows(items, centres):
                rows.write_row(made)
        for statement in _TABLES:
            owner.execute(statement, values)
        owner.execute("SET maintenance_work_mem = '512MB'")
        owner.execute(row[0])
        owner.execute("DROP TABLE made")
        owner.execute("VACUUM ANALYZE")


def _rows(items: int, centres: Vectors) -> Iterator[tuple[object, ...]]:
    drawn = np.random.default_rng(5)
    for item, text in enumerate(_texts(items)):
        item_id = new_id()
        for place in range(1 + item % 2):
            vector = centres[drawn.integers(len(centres))] + drawn.normal(0, NOISE, centres.shape[1])
            vector /= np.linalg.norm(vector)
            bands = bands_of(text) if place == 0 else []
            yield item, place, item_id, new_id(), text, bands, vector_text(vector)


def _texts(count: int) -> Iterator[str]:
    """Texts of about forty tokens: half are words of the sample, half are drawn as words of a language are."""
    drawn = random.Random(7)  # noqa: S311 - the same every time
    said = itertools.cycle(word for text in texts_of_sample() for word in text.split())
    rare = [f"{''.join(drawn.choices('bdfgklmnprstvz', k=4))}{n}" for n in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (n + 1) for n in range(VOCABULARY)))
    for _ in range(count):
        words = [*itertools.islice(said, WORDS // 2), *drawn.choices(rare, cum_weights=weights, k=WORDS - WORDS // 2)]
        drawn.shuffle(words)
        yield " ".join(words)
