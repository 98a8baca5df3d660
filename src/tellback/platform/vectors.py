"""The model field for embeddings: numpy arrays in Python, pgvector in the database."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pgvector.django import HalfVectorField, VectorField

Embedding = NDArray[np.float32]


class EmbeddingField(VectorField):
    """A vector that is read and written as a float32 array.

    pgvector's own field goes through a Python float for each number, which took a tenth of the workers' time; its text
    form is JSON, so orjson writes and reads it.
    """

    def deconstruct(self) -> tuple[Any, Any, Any, Any]:
        """As pgvector's field: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "pgvector.django.vector.VectorField", args, kwargs

    def from_db_value(  # type: ignore[override]
        self, value: str | None, _expression: object, _connection: object
    ) -> Embedding | None:
        """The stored vector."""
        return None if value is None else np.array(orjson.loads(value), dtype=np.float32)

    def get_prep_value(self, value: Any) -> str | None:
        """The vector in the database's text form."""
        if value is None or isinstance(value, str):
            return value
        return vector_text(value)


class HalfEmbeddingField(HalfVectorField):
    """A vector in half precision, to search by; the database makes it of one in full precision."""

    def deconstruct(self) -> tuple[Any, Any, Any, Any]:
        """As pgvector's field: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "pgvector.django.halfvec.HalfVectorField", args, kwargs


def vector_text(vector: Any) -> str:
    """A vector in the database's text form."""
    array = np.ascontiguousarray(vector, dtype=np.float32)
    return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY).decode()
