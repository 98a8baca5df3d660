"""What the engine needs of whoever runs it: remembered answers, leave to spend, and somebody who keeps the books.

The engine itself keeps nothing and knows no clock: two processes of one workspace share one breaker and one budget.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tellback.engines.openai.prompts import Pass
from tellback.sdk.engine import FREE, Usage

#: Why another engine answered, with what it says to a person. Those of `PASSING` are asked again by themselves.
REASONS = {
    "unreachable": "The language model did not answer",
    "slow": "The language model took too long",
    "busy": "The language model was busy",
    "key": "The endpoint did not accept the key",
    "model": "The endpoint does not have this model, or not at this address",
    "quota": "The account at the endpoint is used up",
    "request": "The endpoint did not accept the request",
    "forbidden": "The address of the endpoint may not be called",
    "paused": "The language model failed repeatedly and is left alone for a while",
    "budget": "The budget of the day was spent",
    "rejected": "The answer of the language model did not pass the checks",
    "refused": "The language model refused to answer",
    "private": "Something private was found in the text, so it did not leave",
}
PASSING = frozenset(
    {"unreachable", "slow", "busy", "key", "model", "quota", "request", "forbidden", "paused", "budget"}
)
#: These say that the endpoint will answer nobody before somebody mends something.
HOPELESS = frozenset({"key", "model", "quota", "request", "forbidden"})
#: These are no fault of the endpoint.
BLAMELESS = frozenset({"", "paused", "budget", "private", "refused"})


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of one question: what it cost, what to remember, what was thrown away, and how it failed if it did.

    `reserved` is what was held for it. `wait` are the seconds that the endpoint asked for.
    """

    kind: Pass
    key: str = ""
    answer: str = ""
    usage: Usage = FREE
    reserved: int = 0
    calls: int = 0
    cached: bool = False
    failure: str = ""
    detail: str = ""
    wait: float | None = None
    rejected: Counter[str] = field(default_factory=Counter)


class Host(Protocol):
    """Keeps the books of one workspace."""

    def recall(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The answers that were kept under these keys."""

    def admit(self, tokens: Sequence[int]) -> list[str]:
        """Leave to spend so many tokens on each question: empty for yes, else `paused` or `budget`. Holds them."""

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Enter what came of admitted questions, and of those answered from memory."""

    def is_private(self, text: str) -> bool:
        """Whether something stands in the text that must not leave."""
