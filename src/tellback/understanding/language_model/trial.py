"""Trying a language model on a made-up item: every pass is really asked, and what it says is checked as always."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from tellback.engines.openai import (
    REASONS,
    REJECTIONS,
    Endpoint,
    Host,
    Models,
    OpenAIEngine,
    Pass,
    Settlement,
)
from tellback.kernel.errors import Unavailable
from tellback.sdk.engine import Engine, Item, KnownTheme, NamedThing, Taxonomy
from tellback.understanding.language_model.report import PASSES

#: All passes together; a person waits for it.
SECONDS = 25.0
ITEM = Item(
    "The export to CSV drops the last rows of long lists. I would also like a dark mode for the evening.",
    subject="Two things",
    category="other",
    source="widget",
)
TAXONOMY = Taxonomy(
    boards=(NamedThing("exports", "Imports and exports"), NamedThing("looks", "Looks")),
    tags=(NamedThing("csv", "csv"),),
    themes=(
        KnownTheme(
            "rows", "CSV export drops rows", "Rows are missing at the end of exported files.", "exports", 4,
            ("The CSV file ends too early", "Last rows are gone after an export"), 0.8,
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of asking one model for one pass. `said` is its answer in words, or what went wrong."""

    kind: Pass
    model: str
    works: bool
    said: str
    seconds: float
    tokens: int

    @property
    def label(self) -> str:
        """What the pass is for, in words."""
        return PASSES[self.kind]


class _Counting:
    """Books for a trial: nothing is remembered or refused, what it cost is entered, and the breaker stays as it is."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.settled: list[Settlement] = []

    def recall(self, keys: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG002 - each trial asks anew
        return {}

    def admit(self, tokens: Sequence[int]) -> list[str]:
        return [""] * len(tokens)

    def settle(self, settlements: Sequence[Settlement]) -> None:
        self.settled += settlements
        spent = [one for one in settlements if one.usage.total]
        self._host.settle(
            [replace(one, calls=0, reserved=0, answer="", failure="", rejected=type(one.rejected)()) for one in spent]
        )

    def is_private(self, text: str) -> bool:  # noqa: ARG002 - the made-up item holds nothing
        return False


def try_model(*, endpoint: Endpoint, models: Models, host: Host, local: Engine) -> list[Tried]:
    """Ask each pass once, in at most 25 seconds; stops at the first that does not answer, since others cannot go on."""
    until, counting = monotonic() + SECONDS, _Counting(host)
    tried: list[Tried] = []
    signals = None
    for kind in (
        Pass.EXTRACTION,
        Pass.INTERPRETATION,
        Pass.DESCRIPTION,
        *([Pass.EMBEDDING] if models.embedding else []),
    ):
        engine = OpenAIEngine(
            endpoint=endpoint, models=models, local=local, host=counting, seconds=max(until - monotonic(), 1.0)
        )
        began, before = monotonic(), len(counting.settled)
        if kind == Pass.EXTRACTION:
            (signals,) = engine.extract([ITEM])
            said = "; ".join(f"{one.summary} ({one.signal_type.replace('_', ' ')})" for one in signals)
        elif kind == Pass.INTERPRETATION:
            assert signals is not None
            (meant,) = engine.interpret([ITEM], signals[:1], taxonomies=[TAXONOMY])
            said = _decision(meant.theme.theme_id if meant.theme else None, meant.theme.title if meant.theme else "")
        elif kind == Pass.DESCRIPTION:
            texts = TAXONOMY.themes[0].top_signals
            said = engine.describe(texts, local.embed(texts), background=None).title
        else:
            said = _size(engine)
        settled = counting.settled[before:]
        failed = next((one for one in settled if one.failure), None)
        tried.append(
            Tried(
                kind=kind,
                model=_model_of(kind, models),
                works=failed is None,
                said=_why(failed) if failed else _with_rejected(said or "It found nothing to say.", settled),
                seconds=round(monotonic() - began, 1),
                tokens=sum(one.usage.total for one in settled),
            )
        )
        if failed:
            break
    return tried


def _size(engine: Engine) -> str:
    try:
        return f"{engine.embed([ITEM.text]).shape[1]} numbers for each text"
    except Unavailable:
        return ""


def _decision(theme_id: str | None, title: str) -> str:
    return f"joins “{TAXONOMY.themes[0].title}”" if theme_id else f"a new theme, “{title}”"


def _model_of(kind: Pass, models: Models) -> str:
    return {
        Pass.EXTRACTION: models.extraction,
        Pass.INTERPRETATION: models.interpretation,
        Pass.DESCRIPTION: models.description,
        Pass.EMBEDDING: models.embedding,
    }[kind]


def _with_rejected(said: str, settled: Sequence[Settlement]) -> str:
    """What it said, and which part of it the checks threw away."""
    kinds = dict.fromkeys(kind for one in settled for kind in one.rejected)
    return " ".join([said.rstrip(".") + ".", *(f"Thrown away: {REJECTIONS[kind].lower()}." for kind in kinds)])


def _why(failed: Settlement) -> str:
    """What went wrong, and for an answer that failed its checks which of them."""
    checks = [f"{REJECTIONS[kind]}." for kind in failed.rejected]
    return " ".join([f"{REASONS[failed.failure]}.", *(checks or filter(None, [failed.detail]))])
