"""The circuit breaker: an endpoint that fails again and again is left alone for a while. Pure; the host keeps it.

Closed: calls go out. After `LIMIT` failures in a row it opens for a time that doubles with each opening. When that is
over it is half open: one call goes out to try, and what comes of it closes or opens it again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

LIMIT = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
#: After so long without an answer, the call that was to try it is taken for lost and another may try.
TRIAL = timedelta(minutes=2)


class BreakerState(StrEnum):
    """Whether calls go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of the last calls. `trial_at` is when the one call of the half-open state went out."""

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    trial_at: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """Whether calls go out at this time."""
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def admits(self, now: datetime) -> int | None:
        """How many calls may go out now; None for any number."""
        state = self.state(now)
        if state == BreakerState.CLOSED:
            return None
        trying = self.trial_at is not None and now < self.trial_at + TRIAL
        return 0 if state == BreakerState.OPEN or trying else 1

    def trying(self, now: datetime) -> "Breaker":
        """One call went out to try."""
        return replace(self, trial_at=now)

    def after_success(self) -> "Breaker":
        """It answered: everything is forgotten."""
        return Breaker()

    def after_failure(self, now: datetime, *, wait: timedelta | None = None, at_once: bool = False) -> "Breaker":
        """It failed. `wait` is what it asked for (Retry-After); `at_once` opens it whatever was before."""
        failures = self.failures + 1
        if failures < LIMIT and not at_once and self.open_until is None:
            return replace(self, failures=failures)
        pause = min(FIRST_PAUSE * 2 ** min(self.openings, 10), LONGEST_PAUSE)
        if wait is not None:
            pause = min(max(pause, wait), timedelta(hours=1))
        return Breaker(failures, self.openings + 1, now + pause, None)
