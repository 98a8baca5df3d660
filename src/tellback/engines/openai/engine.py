"""The engine that asks a language model, one item or signal at a time, and the local engine where it cannot.

Each question carries one item of one workspace, so that no text can speak to another's. What the model answers is data
too, checked against the text and the supplied ids before anybody sees it, and there is nothing that it could call.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tellback.engines.openai import contracts
from tellback.engines.openai.endpoint import Endpoint, EndpointError, Outcome, Question, Timing
from tellback.engines.openai.host import BLAMELESS, REASONS, Host, Settlement
from tellback.engines.openai.prompts import Pass, prompt_of
from tellback.engines.openai.words import Sent, is_hidden
from tellback.kernel.errors import Unavailable
from tellback.sdk.engine import (
    FREE,
    Description,
    Engine,
    ExtractedSignal,
    Extraction,
    Identity,
    Interpretation,
    Item,
    KnownTheme,
    NamedThing,
    Origin,
    Taxonomy,
    Vectors,
)

T = TypeVar("T")

#: So many items are read in one go: their two passes end within a lease also where the model is slow.
BATCH = 8
#: Questions that are under way at once, and how long all of one pass may take (three fit into an item's lease).
AT_ONCE = 6
PASS_SECONDS = 80.0
#: So many questions in a row without an answer, and the rest of the batch is not asked.
GIVE_UP_AFTER = 3
MOST_OUTPUT = {Pass.EXTRACTION: 4000, Pass.INTERPRETATION: 2000, Pass.DESCRIPTION: 1500}
DESCRIBED_TEXTS = 40


@dataclass(frozen=True, slots=True)
class Models:
    """Which model each pass asks. Without one for `embedding`, vectors are made on this machine."""

    extraction: str
    interpretation: str
    description: str
    embedding: str = ""


class OpenAIEngine:
    """Understands feedback with a model behind an OpenAI-compatible endpoint; `local` stands in where it cannot."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        models: Models,
        local: Engine,
        host: Host,
        timing: Timing | None = None,
        seconds: float = PASS_SECONDS,
        prompt_version: str = "",
    ) -> None:
        self._prompt = partial(prompt_of, version=prompt_version)
        self._endpoint, self._models, self._local, self._host = endpoint, models, local, host
        self._now, self._seconds = (timing or Timing()).now, seconds
        own = local.identity
        self._identity = Identity(
            model=models.extraction,
            prompt_version=self._prompt(Pass.EXTRACTION).version,
            embedding_model=models.embedding or own.embedding_model,
            dimensions=0 if models.embedding else own.dimensions,
            batch=BATCH,
            sorts=True,
        )

    @property
    def identity(self) -> Identity:
        """The model and prompt of pass one, and what makes the vectors."""
        return self._identity

    @property
    def background(self) -> Vectors:
        """The local engine's where it makes the vectors; else nothing is known before a workspace has its own mean."""
        if not self._models.embedding:
            return self._local.background
        return np.zeros(self._identity.dimensions, dtype=np.float32)

    def extract(self, items: Sequence[Item]) -> list[Extraction]:
        """The needs that the model finds, with quotes that stand in the text. Text without words is not sent."""
        model, prompt = self._models.extraction, self._prompt(Pass.EXTRACTION)
        questions = [self._extraction(item) if _has_words(item.text) else None for item in items]
        outcomes = self._ask_all(Pass.EXTRACTION, questions)
        asked = Origin(model, prompt.version)
        found = [
            Extraction(outcome.value or (), origin=replace(asked, usage=outcome.usage, fallback=outcome.failure))
            for outcome in outcomes
        ]
        missing = [place for place, one in enumerate(found) if one.origin.fallback]
        for place, signals in zip(missing, self._local.extract([items[place] for place in missing]), strict=True):
            found[place] = Extraction(signals, origin=self._instead(found[place].origin))
        return found

    def _instead(self, origin: Origin) -> Origin:
        own = self._local.identity
        return replace(origin, model=own.model, prompt_version=own.prompt_version)

    def _extraction(self, item: Item) -> "Question[tuple[ExtractedSignal, ...]] | str":
        texts = (item.text, item.subject, item.page, *(message.text for message in item.thread))
        if any(self._host.is_private(text) for text in texts):
            return "private"
        sent = Sent.of(item.text)
        shown = {
            "text": sent.shown,
            "subject": _seen(item.subject),
            "category": item.category,
            "stars": item.stars,
            "source": item.source,
            "page": _seen(item.page),
            "thread": [{"role": message.role or None, "text": _seen(message.text)} for message in item.thread],
        }
        return Question(
            model=self._models.extraction,
            system=self._prompt(Pass.EXTRACTION).text,
            user=_as_data(shown),
            name="signals",
            schema=contracts.extraction_schema(),
            most_output=MOST_OUTPUT[Pass.EXTRACTION],
            check=partial(contracts.check_extraction, item=item, sent=sent),
        )

    def interpret(
        self,
        items: Sequence[Item],
        signals: Sequence[ExtractedSignal],
        *,
        taxonomies: Sequence[Taxonomy] | None = None,
    ) -> list[Interpretation]:
        """What the model makes of each signal. Where it cannot say, the local engine does, without a theme."""
        known = taxonomies or [Taxonomy()] * len(signals)
        questions = [
            self._interpretation(item, signal, one) for item, signal, one in zip(items, signals, known, strict=True)
        ]
        outcomes = self._ask_all(Pass.INTERPRETATION, questions)
        asked = Origin(self._models.interpretation, self._prompt(Pass.INTERPRETATION).version)
        missing = [place for place, outcome in enumerate(outcomes) if outcome.value is None]
        instead = self._local.interpret([items[place] for place in missing], [signals[place] for place in missing])
        answers = dict(zip(missing, instead, strict=True))
        result = []
        for place, outcome in enumerate(outcomes):
            origin = replace(asked, usage=outcome.usage, fallback=outcome.failure)
            value = outcome.value or answers[place]
            result.append(replace(value, origin=origin if outcome.value else self._instead(origin)))
        return result

    def _interpretation(
        self, item: Item, signal: ExtractedSignal, taxonomy: Taxonomy
    ) -> "Question[Interpretation] | str":
        handles = contracts.Handles.of(taxonomy)
        quotes = [span.quote for span in signal.evidence]
        if any(self._host.is_private(text) for text in (*quotes, signal.summary, signal.implicit_need or "")):
            return "private"
        shown = {
            **_taxonomy(taxonomy, handles),
            "signal": {
                "signalType": signal.signal_type,
                "summary": _seen(signal.summary),
                "implicitNeed": _seen(signal.implicit_need or "") or None,
                "evidence": [_seen(quote) for quote in quotes],
                "category": item.category,
                "stars": item.stars,
            },
        }
        return Question(
            model=self._models.interpretation,
            system=self._prompt(Pass.INTERPRETATION).text,
            user=_as_data(shown),
            name="interpretation",
            schema=contracts.interpretation_schema(handles),
            most_output=MOST_OUTPUT[Pass.INTERPRETATION],
            check=partial(contracts.check_interpretation, handles=handles),
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors by the endpoint where a model for them is set, else by the local engine.

        Raises `Unavailable` when the endpoint makes none: vectors of two models cannot be compared, so none stand in.
        """
        if not self._models.embedding or not texts:
            return self._local.embed(texts)
        tokens = sum(len(text.encode()) for text in texts) // 3 + len(texts)
        (refused,) = self._host.admit([tokens])
        if refused:
            raise Unavailable(REASONS[refused] + ".")
        until = self._now() + self._seconds
        settled = Settlement(Pass.EMBEDDING, reserved=tokens, calls=1)
        try:
            vectors, usage = self._endpoint.embed(texts, model=self._models.embedding, until=until)
        except EndpointError as error:
            self._host.settle([replace(settled, failure=error.code, detail=error.detail, wait=error.wait)])
            raise Unavailable(f"{REASONS[error.code]}. {error.detail}") from error
        self._host.settle([replace(settled, usage=usage)])
        return vectors

    def is_telling(self, texts: Sequence[str]) -> list[bool]:
        """By the local engine: a list of words that show only a mood needs no model."""
        return self._local.is_telling(texts)

    def describe(self, texts: Sequence[str], vectors: Vectors, *, background: Vectors | None) -> Description:
        """A title and a summary that cite texts; the local engine's where the model gives none."""
        shown = [_seen(text) for text in texts[:DESCRIBED_TEXTS]]
        prompt, question = self._prompt(Pass.DESCRIPTION), None
        if not any(self._host.is_private(text) for text in shown):
            question = Question(
                model=self._models.description,
                system=prompt.text,
                user=_as_data({"texts": [{"n": n, "text": text} for n, text in enumerate(shown, 1)]}),
                name="theme",
                schema=contracts.description_schema(),
                most_output=MOST_OUTPUT[Pass.DESCRIPTION],
                check=partial(contracts.check_description, count=len(shown)),
            )
        (outcome,) = self._ask_all(Pass.DESCRIPTION, [question or "private"])
        origin = Origin(self._models.description, prompt.version, outcome.usage, outcome.failure)
        if outcome.value is not None:
            return replace(outcome.value, origin=origin)
        if self._models.embedding:
            # Vectors of two models cannot be compared: the local engine reads the texts with its own.
            vectors, background = self._local.embed(texts), None
        return replace(self._local.describe(texts, vectors, background=background), origin=self._instead(origin))

    def _ask_all(self, kind: Pass, questions: "Sequence[Question[T] | str | None]") -> list[Outcome[T]]:
        """An outcome for each question, in order: from memory, from the model, or why there is none.

        A text stands for a question that must not be asked and says why; None for one with nothing to ask.
        """
        outcomes: dict[int, Outcome[T]] = {}
        asking: dict[str, list[int]] = {}
        for place, question in enumerate(questions):
            if isinstance(question, Question):
                asking.setdefault(_key(kind, question), []).append(place)
            else:
                outcomes[place] = Outcome(failure=question or "")
        settled = [
            Settlement(kind, failure=question) for question in questions if question and isinstance(question, str)
        ]
        first = {key: _question(questions[places[0]]) for key, places in asking.items()}
        answers = self._from_memory(first) if first else {}
        new = {key: question for key, question in first.items() if key not in answers}
        settled += [Settlement(kind, key, cached=True) for key in answers]
        if new:
            asked, books = self._from_model(kind, new)
            answers |= asked
            settled += books
        if settled:
            self._host.settle(settled)
        for key, places in asking.items():
            # The same text twice in a batch is asked once; its cost is entered with the first.
            outcomes |= {place: replace(answers[key], usage=FREE) for place in places} | {places[0]: answers[key]}
        return [outcomes[place] for place in range(len(questions))]

    def _from_memory(self, questions: "dict[str, Question[T]]") -> dict[str, Outcome[T]]:
        found = {}
        for key, content in self._host.recall(list(questions)).items():
            try:
                found[key] = Outcome(questions[key].check(content).value, content)
            except contracts.Rejected:
                continue
        return found

    def _from_model(
        self, kind: Pass, questions: "dict[str, Question[T]]"
    ) -> tuple[dict[str, Outcome[T]], list[Settlement]]:
        # An answer that cannot be used is asked for once more, so leave is taken for two.
        reserved = {key: 2 * question.tokens for key, question in questions.items()}
        refusals = dict(zip(questions, self._host.admit(list(reserved.values())), strict=True))
        answers: dict[str, Outcome[T]] = {key: Outcome(failure=why) for key, why in refusals.items() if why}
        admitted = {key: question for key, question in questions.items() if key not in answers}
        line = _Line(self._endpoint, self._now() + self._seconds)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="model") as threads:
            answers |= dict(zip(admitted, threads.map(line.ask, admitted.values()), strict=True))
        return answers, [
            _settlement(kind, key, answers[key], reserved.get(key, 0) if key in admitted else 0) for key in questions
        ]


class _Line:
    """Asks one question after the other, and no more once several in a row brought nothing."""

    def __init__(self, endpoint: Endpoint, until: float) -> None:
        self._endpoint, self._until = endpoint, until
        self._lost = 0
        self._last: Outcome[Any] | None = None
        self._lock = threading.Lock()

    def ask(self, question: Question[T]) -> Outcome[T]:
        with self._lock:
            if self._lost >= GIVE_UP_AFTER and self._last is not None:
                return Outcome(failure=self._last.failure, detail=self._last.detail)
        outcome = self._endpoint.ask(question, until=self._until)
        lost = outcome.failure not in BLAMELESS | {"rejected"}
        with self._lock:
            self._lost = self._lost + 1 if lost else 0
            self._last = outcome if lost else None
        return outcome


def _question(question: "Question[T] | str | None") -> Question[T]:
    assert isinstance(question, Question)
    return question


def _settlement(kind: Pass, key: str, outcome: Outcome[Any], reserved: int) -> Settlement:
    return Settlement(
        kind=kind,
        key=key,
        answer=outcome.content if outcome.value is not None else "",
        usage=outcome.usage,
        reserved=reserved,
        calls=outcome.calls,
        failure=outcome.failure,
        detail=outcome.detail,
        wait=outcome.wait,
        rejected=outcome.rejected,
    )


def _key(kind: Pass, question: Question[Any]) -> str:
    """The hash of everything that the answer depends on: model, prompt, what is shown, schema."""
    parts = [kind.value, question.model, question.system, question.user, question.schema]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _as_data(value: object) -> str:
    """One JSON object. `<` and `>` are escaped, so that no text looks like markup to the model."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")


def _seen(text: str) -> str:
    return "".join(character for character in text if not is_hidden(character))


def _taxonomy(taxonomy: Taxonomy, handles: contracts.Handles) -> dict[str, object]:
    """The snapshot of document 3, section 5.2, under the names that may be answered."""
    boards = {value: name for name, value in handles.boards.items()}
    themes = {value: name for name, value in handles.themes.items()}
    near = sorted((one for one in taxonomy.themes if one.similarity), key=lambda one: -one.similarity)
    return {
        "taxonomy": {
            "boards": [{"id": boards[one.id], "name": _seen(_named(one))} for one in taxonomy.boards],
            "tags": [
                {"id": name, "name": _seen(one.name)} for name, one in zip(handles.tags, taxonomy.tags, strict=True)
            ],
            "themes": [_theme(one, themes[one.id], boards) for one in taxonomy.themes],
            "corrections": [
                {
                    "about": _seen(one.about),
                    "field": one.field,
                    "from": _seen(one.before),
                    "to": _seen(one.after),
                    "reason": _seen(one.reason),
                }
                for one in taxonomy.corrections
            ],
            "guidance": _seen(taxonomy.guidance),
        },
        "candidateThemes": [
            {"id": themes[one.id], "title": _seen(one.title), "similarity": round(one.similarity, 3)} for one in near
        ],
    }


def _named(thing: NamedThing) -> str:
    return f"{thing.name}: {thing.about}" if thing.about else thing.name


def _theme(theme: KnownTheme, name: str, boards: dict[str, str]) -> dict[str, object]:
    return {
        "id": name,
        "title": _seen(theme.title),
        "summary": _seen(theme.summary),
        "boardId": boards.get(theme.board_id or ""),
        "signalCount": theme.signal_count,
        "topSignals": [_seen(quote) for quote in theme.top_signals],
    }


__all__ = ["Models", "OpenAIEngine"]
