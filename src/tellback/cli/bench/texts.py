"""Texts to measure with, made of the sample: as many as wanted, all different, about a few thousand needs."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from tellback.cli.demo.dataset import read_items

#: How often a text is a sentence of the sample (with a moment of its own), not a combination.
FROM_SAMPLE = 0.25
#: Exponent of how unevenly combinations are asked for: a few by many, most by few.
SKEW = 1.5


def varied_texts(*, seed: int = 0) -> Iterator[str]:
    """Endless texts of one sentence, ten to fifteen tokens each; the same for the same `seed`."""
    draw = random.Random(seed)  # noqa: S311 - texts to measure with, not a secret
    sentences = sorted({part for item in read_items() for part in re.split(r"(?<=[.!?])\s+", item.text) if " " in part})
    parts = _read_parts()
    needs = [(thing, trouble) for thing in parts["things"] for trouble in parts["troubles"]]
    draw.shuffle(needs)
    while True:
        moment, number = draw.choice(parts["moments"]), draw.randrange(2, 90)
        if draw.random() < FROM_SAMPLE:
            said = sentences[int(len(sentences) * draw.random() ** SKEW)].rstrip(".!?")
            yield f"{said} {moment}, {number} times."
        else:
            thing, trouble = needs[int(len(needs) * draw.random() ** SKEW)]
            yield f"The {thing} {trouble} {moment}, case {number}."


def _read_parts() -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    name = ""
    for line in (Path(__file__).parent / "needs.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            parts.setdefault(name, []).append(line)
    return parts
