"""The fake endpoint, a clock that does not wait, and books that are kept in memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx
import pytest

from tellback.engines.local import LocalEngine, load_local_engine
from tellback.engines.openai import Endpoint, Models, OpenAIEngine, Settlement
from tellback.engines.openai.endpoint import Timing
from tellback.engines.openai.fake import FakeModel
from tellback.platform.addresses import Allowed
from tellback.platform.outbound_http import guarded_client

MODELS = Models("reader", "sorter", "writer")


@dataclass
class Clock:
    """Time that passes only when somebody sleeps; `naps` is how long they did."""

    seconds: float = 0.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.seconds += seconds

    @property
    def timing(self) -> Timing:
        return Timing(now=lambda: self.seconds, sleep=self.sleep, chance=lambda: 0.5)


@dataclass
class Ledger:
    """The books of one workspace, in memory. `refusal` is what every question is answered."""

    kept: dict[str, str] = field(default_factory=dict)
    settled: list[Settlement] = field(default_factory=list)
    held: int = 0
    refusal: str = ""
    secret: str = "\0"

    def recall(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def admit(self, tokens: Sequence[int]) -> list[str]:
        self.held += 0 if self.refusal else sum(tokens)
        return [self.refusal] * len(tokens)

    def settle(self, settlements: Sequence[Settlement]) -> None:
        self.settled += settlements
        self.held -= sum(one.reserved for one in settlements)
        self.kept |= {one.key: one.answer for one in settlements if one.answer}

    def is_private(self, text: str) -> bool:
        return self.secret in text

    @property
    def rejected(self) -> Counter[str]:
        return sum((one.rejected for one in self.settled), Counter())

    @property
    def failures(self) -> list[str]:
        return [one.failure for one in self.settled]


@dataclass
class Bench:
    """A model, an engine that asks it, and what came of it."""

    model: FakeModel
    local: LocalEngine
    client: httpx.Client
    clock: Clock = field(default_factory=Clock)
    books: Ledger = field(default_factory=Ledger)
    key: str = "sk-test"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(client=self.client, base_url=self.model.url, key=self.key, timing=self.clock.timing)

    def engine(self, *, embedding: str = "") -> OpenAIEngine:
        return OpenAIEngine(
            endpoint=self.endpoint,
            models=replace(MODELS, embedding=embedding),
            local=self.local,
            host=self.books,
            timing=self.clock.timing,
        )


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """The local engine as shipped."""
    return load_local_engine(cache_dir=tmp_path_factory.mktemp("models"))


@pytest.fixture
def bench(local: LocalEngine) -> Iterator[Bench]:
    """An engine on a model that answers well until a test says otherwise."""
    with FakeModel() as model, guarded_client(allowed=Allowed.parse(["127.0.0.1"])) as client:
        yield Bench(model, local, client)


@pytest.fixture
def make_engine(bench: Bench) -> Callable[[], OpenAIEngine]:
    """Makes the engine anew, as after a restart: only the books stay."""
    return bench.engine
