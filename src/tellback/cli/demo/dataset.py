"""The sample, read from its files. Written by us; the product, its customers and every address are invented."""

import csv
import uuid
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

NAMESPACE = uuid.UUID("6f6b2f0e-5c1d-5b7e-9f57-2a0f6f6a7b11")
DATA = Path(str(files("tellback.cli.demo"))) / "data"
#: The documents' words for what the sample calls by the product's own.
V1_CATEGORIES = {"complaint": "other"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the sample."""

    key: str
    name: str
    company: str
    plan: str
    mrr: int

    @property
    def external_id(self) -> str:
        """How the sample's clients name this person."""
        return f"tidemark:{self.key}"

    @property
    def email(self) -> str:
        """An address in a domain that is reserved for examples."""
        return f"{self.key}@example.com"


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of feedback. `person` is empty for somebody who did not say who they are."""

    channel: str
    category: str
    severity: str
    person: str
    days_ago: int
    text: str

    @property
    def idempotency_key(self) -> uuid.UUID:
        """The same for the same item always, so that loading twice adds nothing."""
        return uuid.uuid5(NAMESPACE, self.text)


def read_people() -> list[Person]:
    """The sample's people."""
    return [Person(key, name, company, plan, int(mrr)) for key, name, company, plan, mrr in _rows("people.tsv")]


def read_items() -> list[Item]:
    """The sample's feedback, oldest first."""
    items = [
        Item(channel, V1_CATEGORIES.get(category, category), severity, "" if person == "-" else person, int(days), text)
        for path in sorted(DATA.glob("items-*.tsv"))
        for channel, category, severity, person, days, _stars, text in _rows(path.name)
    ]
    return sorted(items, key=lambda item: -item.days_ago)


def _rows(name: str) -> list[list[str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
