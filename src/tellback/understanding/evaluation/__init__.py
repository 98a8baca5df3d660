"""Measuring what understanding is worth: each function runs the product's own code over a labelled file.

Formats are those of the public evaluation files: CSV with a header, or JSON lines. Every report is a flat mapping with
the metric names of the product's contract, the number of rows and the engine's identity. No Django, no database.
"""

from tellback.understanding.evaluation.classification import evaluate_intent, evaluate_issues, evaluate_sentiment
from tellback.understanding.evaluation.corrections import evaluate_corrections
from tellback.understanding.evaluation.pairs import evaluate_duplicates
from tellback.understanding.evaluation.privacy import evaluate_pii
from tellback.understanding.evaluation.segments import evaluate_signals

__all__ = [
    "evaluate_corrections",
    "evaluate_duplicates",
    "evaluate_intent",
    "evaluate_issues",
    "evaluate_pii",
    "evaluate_sentiment",
    "evaluate_signals",
]
