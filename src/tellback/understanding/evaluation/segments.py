"""How well one item is taken apart into its signals."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tellback.kernel.errors import Invalid
from tellback.sdk.engine import Engine, ExtractedSignal, Item
from tellback.understanding.evaluation.files import Report, read_lines
from tellback.understanding.evaluation.metrics import Place, Tally, matched

#: The kinds of signal that speak for a label of the files; labels that are not named here are not scored.
LABELS = {
    "bug": {"bug_report"},
    "feature": {"feature_request"},
    "rating": {"praise", "complaint", "churn_risk"},
    "user_experience": {"praise", "complaint", "usability_issue"},
    "Functionality Issues": {"bug_report", "feature_request", "complaint", "usability_issue"},
    "Crashing Issues": {"bug_report"},
    "UI / Design Issues": {"usability_issue", "complaint", "feature_request"},
    "Performance Issues": {"usability_issue", "bug_report", "complaint"},
    "User Experience Issues": {"usability_issue", "complaint"},
}


def evaluate_signals(path: Path, *, engine: Engine) -> Report:
    """Texts with `signals` of `start`, `end`, `quote`, `label`, against the signals that the engine extracts.

    `span_f1` counts a signal as found when it and a true span share half of the shorter of the two; `segment_iou80` is
    the share of true segments met with an intersection over union of at least 0.8. `precision` leaves out the rows
    that carry no span, `precision_all_rows` counts what was found in them as wrong. Signals of a kind that fits none of
    the file's labels are left out: a file that marks faults only says nothing of thanks. `tight_f1` is `span_f1` with
    an intersection over union of 0.5. Raises `Invalid` when a quote of the engine is not verbatim.
    """
    rows = read_lines(path, keys=["text", "signals"])
    extracted = engine.extract([Item(text=row["text"]) for row in rows])
    spans, half, tight, labels = Tally(), Tally(), Tally(), Tally()
    in_empty = 0
    asked = set[str]().union(*(LABELS.get(str(s["label"]), ()) for row in rows for s in row["signals"]))
    for row, every in zip(rows, extracted, strict=True):
        signals = [signal for signal in every if not asked or signal.signal_type in asked]
        guess = [_place(row["text"], signal) for signal in signals]
        if not row["signals"]:
            in_empty += len(guess)
            continue
        truth = [(s["start"], s["end"]) for s in row["signals"]]
        pairs = _half_shared(truth, guess)
        _add(spans, len(pairs), truth, guess)
        _add(half, len(matched(truth, guess, at_least=0.5)), truth, guess)
        _add(tight, len(matched(truth, guess, at_least=0.8)), truth, guess)
        _score_labels(labels, row["signals"], signals, pairs)
    with_empty = Tally(spans.hits, spans.truth, spans.guess + in_empty)
    return {
        "span_f1": spans.f1,
        "segment_iou80": tight.recall,
        "tight_f1": half.f1,
        "precision": spans.precision,
        "recall": spans.recall,
        "precision_all_rows": with_empty.precision,
        "label_accuracy": labels.recall,
        "signals_per_segment": spans.guess / max(spans.truth, 1),
        "rows": len(rows),
        "model": engine.identity.model,
    }


def _place(text: str, signal: ExtractedSignal) -> Place:
    for span in signal.evidence:
        if not span.is_verbatim_in(text):
            raise Invalid(f"The engine quoted what the text does not say: {span.quote!r}.")
    return signal.evidence[0].start, signal.evidence[-1].end


def _half_shared(truth: list[Place], guess: list[Place]) -> list[tuple[int, int]]:
    pairs = []
    free = set(range(len(guess)))
    for i, true in enumerate(truth):
        shares = {j: _share(true, guess[j]) for j in free}
        best = max(shares, key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= 0.5:
            free.discard(best)
            pairs.append((i, best))
    return pairs


def _share(first: Place, second: Place) -> float:
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(shared, 0) / max(min(first[1] - first[0], second[1] - second[0]), 1)


def _add(tally: Tally, hits: int, truth: list[Place], guess: list[Place]) -> None:
    tally.hits += hits
    tally.truth += len(truth)
    tally.guess += len(guess)


def _score_labels(
    tally: Tally, truth: list[dict[str, Any]], signals: Sequence[ExtractedSignal], pairs: list[tuple[int, int]]
) -> None:
    for i, j in pairs:
        fitting = LABELS.get(str(truth[i]["label"]))
        if fitting is not None:
            tally.truth += 1
            tally.hits += signals[j].signal_type in fitting
