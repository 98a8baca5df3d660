"""The rate limit counts exactly, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from tellback.edge.limits import RateLimiter


def test_a_minutes_allowance_may_come_at_once_and_then_regains_evenly() -> None:
    limiter = RateLimiter()
    assert all(limiter.wait("key", per_minute=60, now=1000.0) == 0 for _ in range(60))
    assert 0 < limiter.wait("key", per_minute=60, now=1000.0) <= 1
    assert limiter.wait("key", per_minute=60, now=1001.0) == 0
    assert limiter.wait("key", per_minute=60, now=1001.0) > 0


def test_keys_do_not_share_their_allowance() -> None:
    limiter = RateLimiter()
    assert limiter.wait("one", per_minute=1, now=0.0) == 0
    assert limiter.wait("one", per_minute=1, now=0.0) > 0
    assert limiter.wait("other", per_minute=1, now=0.0) == 0


@given(st.lists(st.floats(0, 3), max_size=300), st.integers(1, 120))
def test_nobody_passes_more_than_a_burst_and_the_rate(gaps: list[float], per_minute: int) -> None:
    limiter, now, passed = RateLimiter(), 0.0, 0
    for gap in gaps:
        now += gap
        passed += limiter.wait("key", per_minute=per_minute, now=now) == 0
    assert passed <= per_minute + now * per_minute / 60 + 1


def test_waiting_as_long_as_was_said_is_enough() -> None:
    limiter = RateLimiter()
    while not (wait := limiter.wait("key", per_minute=7, now=50.0)):
        pass
    assert limiter.wait("key", per_minute=7, now=50.0 + wait) == 0
