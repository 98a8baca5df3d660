"""How well private data is found: precision and recall by type, for the types that have a shape."""

import time
from collections.abc import Sequence
from pathlib import Path

from tellback.intake.redaction import find_spans
from tellback.understanding.evaluation.files import Report, read_lines
from tellback.understanding.evaluation.metrics import Tally

#: What files call a type, and what we call it. Names of people, places and organisations need a model that is not here.
STRUCTURED = {
    "EMAIL": "email",
    "EMAIL_ADDRESS": "email",
    "CARD": "card",
    "CREDIT_CARD": "card",
    "IBAN": "iban",
    "IBAN_CODE": "iban",
    "SSN": "ssn",
    "US_SSN": "ssn",
    "IP": "ip",
    "IP_ADDRESS": "ip",
    "PHONE": "phone",
    "PHONE_NUMBER": "phone",
    "US_DRIVER_LICENSE": "licence",
    "DRIVER_LICENSE": "licence",
    "US_PASSPORT": "passport",
    "PASSPORT": "passport",
    "CRYPTO": "wallet",
    "NATIONAL_ID": "national_id",
    "DATE_OF_BIRTH": "birthdate",
    "CREDENTIAL": "credential",
}
#: Files that do not label these have them all the same (a date of birth as any date), so there they are not counted.
ONLY_WHERE_LABELLED = frozenset(["national_id", "birthdate", "credential"])
NAMES = {"NAME": "name", "PERSON": "name"}
COVERED = 0.8
#: Passes, and seconds of the processor: a short file's speed would be the machine's mood.
PASSES, MEASURED = 3, 1.0


def evaluate_pii(path: Path) -> Report:
    """Texts with `spans` of `start`, `end`, `type`: a hit has the type and covers at least 80% of the span.

    `precision`, `recall` and `macro_f1` are over the structured types; `by_type` gives each, with names apart. What is
    found inside a span of a type that we do not claim (an address, a date) counts as wrong. `mb_per_s` is the speed of
    the search alone, in millions of UTF-8 bytes a second of one processor, everything loaded: the best pass of at least
    three, in at least a second.
    """
    rows = read_lines(path, keys=["text", "spans"])
    known = {**STRUCTURED, **NAMES}
    labelled = {known.get(span["type"]) for row in rows for span in row["spans"]}
    tallies = {name: Tally() for name in dict.fromkeys(known.values()) if name not in ONLY_WHERE_LABELLED - labelled}
    for row in rows:
        found = [(span.start, span.end, span.type.lower()) for span in find_spans(row["text"])]
        wanted = [(s["start"], s["end"], known[s["type"]]) for s in row["spans"] if s["type"] in known]
        for name, tally in tallies.items():
            _count(tally, [w for w in wanted if w[2] == name], [f for f in found if f[2] == name])
    present = {name: tally for name, tally in tallies.items() if tally.truth}
    structured = [tally for name, tally in tallies.items() if name != "name"]
    total = Tally(*(sum(getattr(tally, part) for tally in structured) for part in ("hits", "truth", "guess")))
    scored = [tally.f1 for name, tally in present.items() if name != "name"]
    report: Report = {
        "precision": total.precision,
        "recall": total.recall,
        "macro_f1": sum(scored) / len(scored) if scored else 0.0,
        "rows": len(rows),
        "model": "rules",
    }
    report["mb_per_s"] = _speed([row["text"] for row in rows])
    for name, tally in present.items():
        report[name] = {"precision": tally.precision, "recall": tally.recall, "spans": tally.truth}
    return report


def _count(tally: Tally, wanted: list[tuple[int, int, str]], found: list[tuple[int, int, str]]) -> None:
    tally.truth += len(wanted)
    tally.guess += len(found)
    left = list(found)
    for start, end, _ in wanted:
        hit = next((f for f in left if min(end, f[1]) - max(start, f[0]) >= COVERED * (end - start)), None)
        if hit is not None:
            left.remove(hit)
            tally.hits += 1


def _speed(texts: Sequence[str]) -> float:
    size = sum(len(text.encode(errors="surrogatepass")) for text in texts)
    if not size:
        return 0.0
    taken: list[float] = []
    while len(taken) < PASSES or sum(taken) < MEASURED:
        taken.append(max(_seconds(texts), 1e-9))
    return size / 1_000_000 / min(taken)


def _seconds(texts: Sequence[str]) -> float:
    started = time.process_time()
    for text in texts:
        find_spans(text)
    return time.process_time() - started
