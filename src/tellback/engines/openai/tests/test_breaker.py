"""When an endpoint is left alone, for how long, and who may try it again."""

from datetime import UTC, datetime, timedelta

from tellback.engines.openai.breaker import FIRST_PAUSE, LIMIT, LONGEST_PAUSE, TRIAL, Breaker, BreakerState

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def failed(times: int, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for _ in range(times):
        breaker = breaker.after_failure(NOW)
    return breaker


def test_calls_go_out_until_several_in_a_row_have_failed() -> None:
    assert failed(LIMIT - 1).admits(NOW) is None
    assert failed(LIMIT).state(NOW) == BreakerState.OPEN
    assert failed(LIMIT).admits(NOW) == 0


def test_an_answer_in_between_forgets_the_failures() -> None:
    assert failed(LIMIT - 1, failed(LIMIT - 1).after_success()).state(NOW) == BreakerState.CLOSED


def test_after_the_pause_one_call_tries_and_the_others_wait() -> None:
    later = NOW + FIRST_PAUSE
    breaker = failed(LIMIT)
    assert (breaker.state(later), breaker.admits(later)) == (BreakerState.HALF_OPEN, 1)
    assert breaker.trying(later).admits(later) == 0
    assert breaker.trying(later).admits(later + TRIAL) == 1


def test_what_comes_of_the_trial_closes_it_or_opens_it_for_longer() -> None:
    later = NOW + FIRST_PAUSE
    trying = failed(LIMIT).trying(later)
    assert trying.after_success().admits(later) is None
    assert trying.after_failure(later).state(later + 1.5 * FIRST_PAUSE) == BreakerState.OPEN
    assert trying.after_failure(later).state(later + 2 * FIRST_PAUSE) == BreakerState.HALF_OPEN


def test_no_pause_is_longer_than_the_longest_unless_the_endpoint_asks_for_it() -> None:
    breaker = failed(200)
    assert breaker.open_until == NOW + LONGEST_PAUSE
    assert Breaker().after_failure(NOW, wait=timedelta(minutes=30), at_once=True).open_until == NOW + timedelta(
        minutes=30
    )
    assert Breaker().after_failure(NOW, wait=timedelta(days=9), at_once=True).open_until == NOW + timedelta(hours=1)


def test_a_failure_that_nobody_but_a_person_can_mend_opens_it_at_once() -> None:
    assert Breaker().after_failure(NOW, at_once=True).admits(NOW) == 0
