"""Looks for things in a filled database and times it; run as a process, reports JSON on stdout."""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from tellback.cli.bench.filling import texts_of_sample
from tellback.cli.environment import ready
from tellback.cli.output import print_json

#: Words that very many say, that some say, that nobody says; questions; beginnings; phrases; a wish in other words.
QUESTIONS = (
    "app", "invoice", "offline", "the report", "calendar sync", "dark mode", "zzzz", "inv", "price of the plan",
    "it does not work without a network", "how do I export my invoices", "photos are lost", "crash when I open",
    '"dark mode"', "app -invoice", "customer reminders by text message", "slow on my old phone", "jobs and quotes",
)  # fmt: skip
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"urgency": "high"},
    {"kind": "feedback", "type": "bug_report", "days": "90"},
)
ROUNDS = 4
BATCH = 64


def embed() -> dict[str, Any]:
    """The sample's sentences as vectors."""
    with ready():
        from tellback.understanding.engine import get_engine

        engine = get_engine()
        vectors = engine.embed(texts_of_sample())
        return {"model": engine.identity.embedding_model, "vectors": vectors.tolist()}


def measure() -> dict[str, Any]:
    """A search alone, with its page, and the look-ups of a batch of items."""
    with ready():
        from tellback.platform.tenancy import list_workspace_ids
        from tellback.understanding.engine import get_engine

        get_engine()
        workspace_id = list_workspace_ids()[0]
        return {**_searches(workspace_id), **_pages(workspace_id), **_look_ups(workspace_id)}


def _searches(workspace_id: UUID) -> dict[str, Any]:
    from tellback.insights.results import search
    from tellback.insights.selectors import SearchFilter
    from tellback.platform.tenancy import in_workspace

    def ask(question: str) -> None:
        with in_workspace(workspace_id):
            search(workspace_id=workspace_id, query=question, wanted=SearchFilter(), limit=25)

    times = [_timed(partial(ask, question)) for _ in range(ROUNDS + 1) for question in QUESTIONS]
    return _report("search", times[len(QUESTIONS) :])


def _pages(workspace_id: UUID) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client

    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.models import Role, User, Workspace
    from tellback.workspaces.services import add_member

    with in_workspace(workspace_id):
        known = User.objects.filter(email="bench@example.com").first()
        user = known or User.objects.create_user("bench@example.com", name="Bench")
        add_member(workspace=Workspace.objects.get(), user=user, role=Role.CONTRIBUTOR)
    client = Client(HTTP_HOST=settings.ALLOWED_HOSTS[0])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    times = []
    for number in range(ROUNDS + 1):
        for question in QUESTIONS:
            for narrowed in FILTERS:
                took = _timed(partial(client.get, "/admin/search", {"q": question, **narrowed}))
                times += [took] if number else []
    return _report("page", times)


def _look_ups(workspace_id: UUID) -> dict[str, Any]:
    import numpy as np
    from django.db import connection

    from tellback.platform.tenancy import in_workspace
    from tellback.triage.duplicates import BY_LETTERS, BY_MEANING
    from tellback.triage.models import FeedbackPrint
    from tellback.understanding.models import SignalVector
    from tellback.understanding.nearest import nearest_signals

    with in_workspace(workspace_id):
        latest = list(FeedbackPrint.objects.order_by("-id").values_list("id", flat=True)[:BATCH])
        rows = list(SignalVector.objects.order_by("-id").values_list("embedding", "embedding_model")[:BATCH])
        vectors, model = np.array([row[0] for row in rows], dtype=np.float32), rows[0][1]

        def by_letters() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM tellback_prints_like(%s, %s)", [latest, BY_LETTERS])
                cursor.fetchall()

        letters = [_timed(by_letters) for _ in range(ROUNDS)]
        meaning = [_timed(lambda: nearest_signals(vectors, model=model, limit=BY_MEANING + 2)) for _ in range(ROUNDS)]
    return {
        f"{name}_{kind}": round(statistics.median(one[part] for one in times) / BATCH, 2)
        for name, times in (("letters", letters), ("meaning", meaning))
        for part, kind in enumerate(("ms", "cpu_ms"))
    }


#: Milliseconds by the clock, and of the processor: this process's and its database session's together.
Took = tuple[float, float]


def _timed(act: Callable[[], object]) -> Took:
    began, worked = time.perf_counter(), _worked()
    act()
    return (time.perf_counter() - began) * 1000, _worked() - worked


def _worked() -> float:
    """What this process and its database session have worked so far; the latter counts where the system tells it."""
    from django.db import connection

    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    theirs = int(session.read_text().split()[0]) / 1e6 if session.exists() else 0.0
    return time.process_time() * 1000 + theirs


def _report(name: str, times: list[Took]) -> dict[str, Any]:
    clock, processor = ([one[part] for one in times] for part in (0, 1))
    return {f"{name}_count": len(times), **_parts(f"{name}", clock), **_parts(f"{name}_cpu", processor)}


def _parts(name: str, times: list[float]) -> dict[str, float]:
    parts = statistics.quantiles(times, n=20)
    return {f"{name}_p50_ms": round(parts[9], 1), f"{name}_p95_ms": round(parts[18], 1)}


if __name__ == "__main__":
    print_json(embed() if sys.argv[1] == "embed" else measure())
