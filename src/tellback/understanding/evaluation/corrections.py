"""What corrections are worth: people put some answers right, the workspace's head learns, the rest is measured."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from tellback.kernel.errors import Invalid
from tellback.sdk.engine import Engine, ExtractedSignal, Item
from tellback.understanding.evaluation.classification import stars_of
from tellback.understanding.evaluation.files import Report, read_table
from tellback.understanding.evaluation.metrics import macro_f1
from tellback.understanding.learning.heads import Judged, Reading, fit_workspace_head

MANY, FEW = 100, 10
RUNS = 5
BATCH = 64
TYPES = ("feature_request", "bug_report", "usability_issue", "question", "praise", "complaint", "churn_risk")
#: What files call the types of signals; `rating` is praise or complaint, as the stars say.
NAMES = {"bug": "bug_report", "feature": "feature_request", "user_experience": "usability_issue", "rating": "praise"}


def evaluate_corrections(path: Path, *, engine: Engine, runs: int = RUNS, seed: int = 0) -> Report:
    """Texts with a `label`: 100 are put right, and the answers to others are compared before and after.

    With a column `split` the rows `train` are what people saw and the rows `test` what is measured; otherwise a seeded
    half each. The figures are means of five seeded draws. `macro_f1` is after 100 corrections of wrong answers (what
    people do), `random_` after 100 answers that were looked at by chance, `few_` after 10 corrections of wrong answers;
    `fit_seconds` is the slowest fit. Raises `Invalid` for a label that is no type of signal.
    """
    rows = read_table(path, columns=["text", "label"])
    seen, kept = _halves(rows, seed)
    trial = _Trial(rows, engine, kept=kept)
    wrong = [i for i in seen if trial.readings[i].answer != trial.truths[i]]
    before = trial.score([trial.readings[i].answer for i in kept])
    by_errors = [trial.learn(_draw(wrong, MANY, seed + run), seen) for run in range(runs)]
    by_chance = [trial.learn(_draw(seen, MANY, seed + run), seen) for run in range(runs)]
    by_few = [trial.learn(_draw(wrong, FEW, seed + run), seen) for run in range(runs)]
    after, random_after, few_after = (sum(found) / runs for found in (by_errors, by_chance, by_few))
    return {
        "macro_f1": after,
        "macro_f1_before": before,
        "gain": after - before,
        "gain_worst": min(by_errors) - before,
        "random_macro_f1": random_after,
        "random_gain": random_after - before,
        "few_macro_f1": few_after,
        "few_gain": few_after - before,
        "corrections": min(MANY, len(wrong)),
        "fit_seconds": round(trial.slowest, 3),
        "rows": len(kept),
        "model": engine.identity.model,
    }


class _Trial:
    """The rows that are measured, and what corrections of other rows make of them."""

    def __init__(self, rows: Sequence[dict[str, str]], engine: Engine, *, kept: Sequence[int]) -> None:
        self._middle, self._kept = engine.background, kept
        self._labels = [row["label"] for row in rows]
        self.truths = [_truth(row) for row in rows]
        self.readings = _readings([Item(row["text"], stars=stars_of(row.get("stars"))) for row in rows], engine)
        self._named = {NAMES.get(name, name): name for name in sorted(set(self._labels))}
        if "rating" in self._labels:
            self._named |= {"complaint": "rating", "churn_risk": "rating"}
        self.slowest = 0.0

    def learn(self, corrected: Sequence[int], seen: Sequence[int]) -> float:
        """Macro F1 of the kept rows once a head has learnt from these corrections."""
        put_right = set(corrected)
        started = time.perf_counter()
        head = fit_workspace_head(
            [Judged(self.readings[i], self.truths[i]) for i in corrected],
            untouched=[self.readings[i] for i in seen if i not in put_right],
            classes=TYPES,
            middle=self._middle,
        )
        self.slowest = max(self.slowest, time.perf_counter() - started)
        return self.score([answer for answer, _ in head.answer([self.readings[i] for i in self._kept])])

    def score(self, answers: Sequence[str]) -> float:
        """Macro F1 in the file's own words; a type that it has no word for is wrong."""
        return macro_f1([self._labels[i] for i in self._kept], [self._named.get(one, "") for one in answers])


def _readings(items: Sequence[Item], engine: Engine) -> list[Reading]:
    """The strongest signal of each item; a text without any is praise of no certainty."""
    leads: list[tuple[str, float, str]] = []
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        for item, signals in zip(some, engine.extract(some), strict=True):
            lead = max(signals, key=_strength, default=None)
            leads.append((lead.signal_type, lead.confidence, lead.wording) if lead else ("praise", 0.0, item.text))
    vectors = engine.embed([wording for _, _, wording in leads])
    return [Reading(kind, sure, row) for (kind, sure, _), row in zip(leads, vectors, strict=True)]


def _strength(signal: ExtractedSignal) -> float:
    return signal.confidence * min(len(signal.wording), 80)


def _truth(row: dict[str, str]) -> str:
    kind = NAMES.get(row["label"], row["label"])
    if kind not in TYPES:
        raise Invalid(f"The label {row['label']} is no type of signal; known are {', '.join([*NAMES, *TYPES])}.")
    stars = stars_of(row.get("stars"))
    return "complaint" if row["label"] == "rating" and stars is not None and stars <= 2 else kind


def _halves(rows: Sequence[dict[str, str]], seed: int) -> tuple[list[int], list[int]]:
    """Which rows people see, and which are measured."""
    splits = [row.get("split") for row in rows]
    if {"train", "test"} <= set(splits):
        return [i for i, one in enumerate(splits) if one == "train"], [
            i for i, one in enumerate(splits) if one == "test"
        ]
    order = _draw(list(range(len(rows))), len(rows), seed)
    return sorted(order[::2]), sorted(order[1::2])


def _draw(places: Sequence[int], count: int, seed: int) -> list[int]:
    return random.Random(seed).sample(places, min(count, len(places)))  # noqa: S311 - a draw, not a secret
