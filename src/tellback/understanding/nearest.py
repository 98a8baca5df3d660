"""The signals that lie nearest to given vectors: by an index where there are many, one by one where there are few."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from tellback.platform.vectors import vector_text
from tellback.sdk.engine import Vectors

#: Up to so many signals are compared one by one: exact, and as quick as the index. Also, a small workspace beside large
#: ones would not get its own from an index that all share.
FEW = 2_000
#: The sizes of vectors that have an index (migration 0007).
INDEXED = frozenset([384, 768, 1024, 1536, 3072])
#: How thoroughly the index is searched (pgvector's `hnsw.ef_search`).
EFFORT = 80

#: Of how many signals it is asked at most whether they fit.
LOOKED_AT = 5_000

#: What is asked for is read from its text once, not beside each vector that it is compared with.
_NEAREST = sql.SQL("""
    SELECT asked.number, near.id, near.item, 1 - near.distance
    FROM unnest(%(numbers)s::int[], %(vectors)s::text[]::halfvec[]) AS asked(number, wanted)
    CROSS JOIN LATERAL (
        SELECT v.id, v.raw_feedback_item_id AS item, {distance} AS distance
        FROM signal_vectors v
        WHERE vector_dims(v.embedding) = {size} AND v.embedding_model = %(model)s AND {narrowed}
        ORDER BY {order} LIMIT %(limit)s
    ) AS near
    ORDER BY asked.number, near.distance, near.id
""")
_DISTANCE = sql.SQL("v.embedding::halfvec({size}) <=> asked.wanted::halfvec({size})")
EVERYTHING = sql.SQL("true")


@dataclass(frozen=True, slots=True)
class Near:
    """A signal that lies near, the item it is of, and how near (cosine)."""

    signal_id: UUID
    item_id: UUID
    cosine: float


def nearest_signals(
    vectors: Vectors, *, model: str, limit: int, narrowed: sql.Composable = EVERYTHING
) -> list[list[Near]]:
    """For each vector (a row of length one) the nearest signals of this embedding model, nearest first. One query.

    Of few signals all of the nearest; of many nearly all, as the index finds them, and of those that `narrowed` leaves
    fewer where it leaves few. `narrowed` is a condition of ours on
    the table `v`, never anybody's input.
    """
    found: list[list[Near]] = [[] for _ in vectors]
    if not len(vectors):
        return found
    size = sql.Literal(vectors.shape[1])
    distance = _DISTANCE.format(size=size)
    by_index = vectors.shape[1] in INDEXED and not _are_few()
    statement = _NEAREST.format(
        size=size,
        distance=distance,
        narrowed=narrowed,
        # Adding nothing hides the order from the index.
        order=distance if by_index else sql.SQL("({}) + 0").format(distance),
    )
    parameters: dict[str, Any] = {
        "numbers": list(range(len(vectors))),
        "vectors": [vector_text(row) for row in vectors],
        "model": model,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        # Where most of what the index finds is somebody else's or does not fit, it goes on for a while.
        cursor.execute(
            "SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', 'strict_order', true), "
            "set_config('hnsw.max_scan_tuples', %s, true)",
            [str(max(EFFORT, limit)), str(LOOKED_AT)],
        )
        cursor.execute(statement, parameters)
        for number, signal_id, item_id, cosine in cursor.fetchall():
            found[number].append(Near(signal_id, item_id, float(cosine)))
    return found


def _are_few() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM signal_vectors LIMIT %s) AS counted", [FEW + 1])
        return int(cursor.fetchone()[0]) <= FEW


def items_of(found: Sequence[Near]) -> dict[UUID, float]:
    """The items of these signals, each with its nearest signal's cosine, nearest first."""
    best: dict[UUID, float] = {}
    for near in found:
        best.setdefault(near.item_id, near.cosine)
    return best
