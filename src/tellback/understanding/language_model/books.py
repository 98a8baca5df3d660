"""The books of a workspace's language model: leave to spend, what was spent, remembered answers, the breaker.

Each entry is a transaction of its own with the rows locked, so that any number of workers share one budget and one
breaker. A worker that dies while it asks leaves tokens held; they are free again when nobody has asked for a while.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tellback.effects.mail import Mail, send_mail
from tellback.engines.openai import HOPELESS, UNREADABLE, Settlement
from tellback.engines.openai.breaker import Breaker
from tellback.engines.openai.host import BLAMELESS
from tellback.intake.policy import Policy
from tellback.platform.tenancy import in_workspace
from tellback.sdk.engine import Usage
from tellback.understanding.language_model.choices import Choices
from tellback.understanding.models import ModelAnswer, ModelDay, ModelState
from tellback.workspaces.models import Principal, Role, Workspace

REMEMBERED = timedelta(days=14)
#: Tokens are not held longer than this after the last question: nobody can be asking any more.
FORGOTTEN = timedelta(minutes=10)


class Books:
    """Keeps the books of one workspace, for the engine. `now` is asked at each entry, since a pass takes a while."""

    def __init__(self, *, workspace_id: UUID, choices: Choices, policy: Policy, now: Callable[[], datetime]) -> None:
        self._workspace_id, self._choices, self._policy, self._now = workspace_id, choices, policy, now

    def recall(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The answers to exactly these questions, not older than two weeks."""
        with in_workspace(self._workspace_id):
            kept = ModelAnswer.objects.filter(key__in=keys, created_at__gt=self._now() - REMEMBERED)
            return dict(kept.values_list("key", "content"))

    def admit(self, tokens: Sequence[int]) -> list[str]:
        """Leave for each question in turn, and its tokens held: empty, or `paused` or `budget`."""
        now = self._now()
        with in_workspace(self._workspace_id):
            state, day = _state(self._workspace_id), _day(self._workspace_id, now)
            breaker = breaker_of(state)
            free = breaker.admits(now)
            if day.reserved_at is None or day.reserved_at < now - FORGOTTEN:
                day.reserved_tokens = 0
            answers: list[str] = []
            for wanted in tokens:
                answer = "paused" if free is not None and free <= answers.count("") else ""
                if not answer and day.tokens + day.reserved_tokens + wanted > self._choices.daily_tokens:
                    answer = "budget"
                if not answer:
                    day.reserved_tokens += wanted
                answers.append(answer)
            if "" in answers:
                day.reserved_at = now
                if free is not None:
                    keep_breaker(state, breaker.trying(now))
            if "budget" in answers and day.exhausted_at is None:
                day.exhausted_at = now
            if day.exhausted_at == now and self._choices.daily_tokens:
                self._tell_admins(day, now)
            day.save(update_fields=["reserved_tokens", "reserved_at", "exhausted_at"])
            return answers

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Enter what came of them: cost, what failed the checks, the breaker; and remember the answers."""
        now = self._now()
        with in_workspace(self._workspace_id):
            state, day = _state(self._workspace_id), _day(self._workspace_id, now)
            for one in settlements:
                self._enter(day, one)
                _judge(state, one, now)
            day.save()
            state.save()
            ModelAnswer.objects.bulk_create(
                [
                    ModelAnswer(workspace_id=self._workspace_id, key=one.key, content=one.answer, created_at=now)
                    for one in settlements
                    if one.answer
                ],
                update_conflicts=True,
                unique_fields=["workspace", "key"],
                update_fields=["content", "created_at"],
            )

    def is_private(self, text: str) -> bool:
        """Whether redaction, with the patterns that the workspace has now, would take something out of it."""
        return bool(text) and self._policy.redactor().redact(text) != text

    def _enter(self, day: ModelDay, one: Settlement) -> None:
        day.reserved_tokens = max(day.reserved_tokens - one.reserved, 0)
        day.calls += one.calls
        day.remembered += one.cached
        day.input_tokens += one.usage.input_tokens
        day.output_tokens += one.usage.output_tokens
        day.cost += self._choices.cost(input_tokens=one.usage.input_tokens, output_tokens=one.usage.output_tokens)
        spent = Usage(*day.passes.get(one.kind.value, (0, 0))) + one.usage
        day.passes[one.kind.value] = [spent.input_tokens, spent.output_tokens]
        if one.failure:
            day.stood_in[one.failure] = day.stood_in.get(one.failure, 0) + 1
        for kind, count in one.rejected.items():
            day.rejected[kind] = day.rejected.get(kind, 0) + count

    def _tell_admins(self, day: ModelDay, now: datetime) -> None:
        """One mail a day to each admin: feedback is still understood, on this machine."""
        name = Workspace.objects.values_list("name", flat=True).get(pk=self._workspace_id)
        for admin in Principal.objects.filter(role__in=[Role.ADMIN, Role.OWNER]).exclude(email=""):
            send_mail(
                workspace_id=self._workspace_id,
                key=f"model-budget:{day.day}:{admin.id}",
                mail=Mail(
                    to=admin.email,
                    subject=f"{name}: today’s budget for the language model is spent",
                    text=f"The {self._choices.daily_tokens:,} tokens that {name} may spend in a day are used up. "
                    "Feedback is understood on this machine until midnight UTC, and read again by the language model "
                    "afterwards. The budget is set under Settings, AI.\n",
                ),
                due_at=now,
                now=now,
            )


def can_ask(*, choices: Choices, now: datetime) -> bool:
    """Whether the endpoint may be tried now and something of the day's budget is left; holds nothing."""
    state = ModelState.objects.first()
    if state is not None and breaker_of(state).admits(now) == 0:
        return False
    day = ModelDay.objects.filter(day=now.date()).first()
    return choices.daily_tokens > (day.tokens if day else 0)


def _judge(state: ModelState, one: Settlement, now: datetime) -> None:
    """What it says of the endpoint. Answers that lie say nothing: a text could make them lie, and shut out others."""
    if one.failure == "rejected" and one.rejected and not UNREADABLE & one.rejected.keys():
        return
    if one.calls and one.failure in BLAMELESS:
        keep_breaker(state, breaker_of(state).after_success())
        state.last_success_at = now
    elif one.calls:
        wait = timedelta(seconds=one.wait) if one.wait else None
        keep_breaker(state, breaker_of(state).after_failure(now, wait=wait, at_once=one.failure in HOPELESS))
        state.last_failure_at, state.last_error = now, one.detail[:500]


def _state(workspace_id: UUID) -> ModelState:
    ModelState.objects.get_or_create(workspace_id=workspace_id)
    return ModelState.objects.select_for_update().get()


def _day(workspace_id: UUID, now: datetime) -> ModelDay:
    ModelDay.objects.get_or_create(workspace_id=workspace_id, day=now.date())
    return ModelDay.objects.select_for_update().get(day=now.date())


def breaker_of(state: ModelState) -> Breaker:
    """The breaker as it is kept."""
    return Breaker(state.failures, state.openings, state.open_until, state.trial_at)


def keep_breaker(state: ModelState, breaker: Breaker) -> None:
    """Keep the breaker in the row, without saving it where the caller still changes it."""
    state.failures, state.openings = breaker.failures, breaker.openings
    state.open_until, state.trial_at = breaker.open_until, breaker.trial_at
    state.save(update_fields=["failures", "openings", "open_until", "trial_at"])


def close_breaker() -> None:
    """Let calls out again at once: somebody has changed what was wrong."""
    for state in ModelState.objects.select_for_update():
        keep_breaker(state, Breaker())


def forget_old_answers(*, now: datetime) -> int:
    """Drop answers that are not recalled any more; returns how many."""
    return ModelAnswer.objects.filter(created_at__lte=now - REMEMBERED).delete()[0]
