"""How an endpoint is asked: retries, bounds, dialects, and what each of its failures is called."""

import json
import threading
import time
from typing import Any

import numpy as np
import pytest

from tellback.engines.openai import Endpoint, EndpointError
from tellback.engines.openai.contracts import check_extraction, extraction_schema
from tellback.engines.openai.endpoint import Outcome, Question
from tellback.engines.openai.fake import (
    GARBAGE,
    Asked,
    Behaviour,
    Sends,
    answers,
    completion,
    cuts,
    embeddings,
    garbage,
    older,
    refuses,
    slow,
    well,
)
from tellback.engines.openai.tests.conftest import Bench
from tellback.engines.openai.words import Sent
from tellback.platform.addresses import Allowed
from tellback.platform.outbound_http import guarded_client
from tellback.sdk.engine import Item, Usage

TEXT = "The export crashes. It is slow too."


def question(text: str = TEXT, model: str = "reader") -> Question[Any]:
    return Question(
        model=model,
        system="List what they need.",
        user=json.dumps({"text": text}),
        name="signals",
        schema=extraction_schema(),
        most_output=1000,
        check=lambda content: check_extraction(content, item=Item(text), sent=Sent.of(text)),
    )


def ask(bench: Bench, *, until: float = 100.0) -> Outcome[Any]:
    return bench.endpoint.ask(question(), until=until)


def then(*behaviours: Behaviour) -> Behaviour:
    """One after the other, the last of them for ever."""
    waiting = list(behaviours)

    def behave(asked: Asked) -> Sends:
        behaviour: Behaviour = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return behaviour(asked)

    return behave


def test_an_answer_that_passes_its_check_comes_with_its_cost(bench: Bench) -> None:
    outcome = ask(bench)
    assert outcome.value
    assert [one.signal_type for one in outcome.value] == ["bug_report", "usability_issue"]
    assert (outcome.usage, outcome.calls, outcome.failure) == (Usage(100, 20), 1, "")


def test_the_request_is_strict_and_offers_no_tools(bench: Bench) -> None:
    ask(bench)
    (asked,) = bench.model.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.authorization == "Bearer sk-test"
    assert set(asked.body) == {"model", "messages", "max_completion_tokens", "response_format"}
    assert asked.body["response_format"]["json_schema"]["strict"] is True
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]


def test_without_a_key_none_is_sent(bench: Bench) -> None:
    bench.key = ""
    ask(bench)
    assert bench.model.asked[0].authorization == ""


def test_failures_in_passing_are_asked_again_after_growing_jittered_pauses(bench: Bench) -> None:
    bench.model.behaviour = then(answers(500), answers(503), answers(429), well)
    assert ask(bench).value
    assert bench.clock.naps == [1.0, 2.0, 4.0]


def test_after_three_retries_it_is_given_up(bench: Bench) -> None:
    bench.model.behaviour = answers(500)
    outcome = ask(bench)
    assert (outcome.failure, outcome.calls, len(bench.model.asked)) == ("unreachable", 4, 4)
    assert outcome.usage.total == 0


def test_the_pause_that_the_endpoint_asks_for_is_kept(bench: Bench) -> None:
    bench.model.behaviour = then(answers(429, ("retry-after", "7")), well)
    assert ask(bench).value
    assert bench.clock.naps == [7.0]


def test_a_pause_longer_than_there_is_time_is_not_waited_for(bench: Bench) -> None:
    bench.model.behaviour = answers(429, ("retry-after", "600"))
    outcome = ask(bench)
    assert (outcome.failure, outcome.wait, bench.clock.naps) == ("busy", 600.0, [])


@pytest.mark.parametrize(
    ("status", "code"), [(401, "key"), (403, "key"), (404, "model"), (402, "quota"), (413, "request"), (302, "request")]
)
def test_what_a_person_must_mend_is_not_asked_again(bench: Bench, status: int, code: str) -> None:
    bench.model.behaviour = answers(status, ("location", "http://127.0.0.1:1/"), message="Incorrect key")
    outcome = ask(bench)
    assert (outcome.failure, len(bench.model.asked)) == (code, 1)
    assert str(status) in outcome.detail


def test_an_account_that_is_used_up_is_no_rush_of_requests(bench: Bench) -> None:
    body = json.dumps({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}).encode()
    bench.model.behaviour = lambda _: Sends(status=429, body=body)
    assert (ask(bench).failure, len(bench.model.asked)) == ("quota", 1)


@pytest.mark.parametrize("kind", sorted(GARBAGE))
def test_garbage_is_asked_for_once_more_and_then_no_more(bench: Bench, kind: str) -> None:
    bench.model.behaviour = garbage(kind)
    outcome = ask(bench)
    assert (outcome.failure, outcome.value, len(bench.model.asked)) == ("rejected", None, 2)
    assert sum(outcome.rejected.values()) == 2


def test_a_good_answer_after_garbage_counts_both_costs_and_the_garbage(bench: Bench) -> None:
    bench.model.behaviour = then(garbage("prose"), well)
    outcome = ask(bench)
    assert outcome.value
    assert (outcome.usage, outcome.rejected) == (Usage(200, 40), {"not_json": 1})


def test_a_refusal_is_taken_for_an_answer(bench: Bench) -> None:
    bench.model.behaviour = refuses
    outcome = ask(bench)
    assert (outcome.failure, len(bench.model.asked), outcome.rejected) == ("refused", 1, {"refused": 1})


def test_a_call_of_a_tool_is_refused(bench: Bench) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "merge_themes", "arguments": "{}"}}
    bench.model.behaviour = lambda _: completion('{"signals": []}', tool_calls=[call])
    outcome = ask(bench)
    assert (outcome.failure, outcome.rejected) == ("rejected", {"tool_call": 2})


def test_an_answer_that_is_cut_on_the_way_is_asked_for_again(bench: Bench) -> None:
    bench.model.behaviour = then(cuts, well)
    assert ask(bench).calls == 2


def test_a_server_that_is_not_there_says_so(bench: Bench) -> None:
    gone = Endpoint(client=bench.client, base_url="http://127.0.0.1:1/v1", key="", timing=bench.clock.timing)
    assert gone.ask(question(), until=100.0).failure == "unreachable"


def test_an_address_that_may_not_be_called_is_not(bench: Bench) -> None:
    with guarded_client(allowed=Allowed()) as client:
        guarded = Endpoint(client=client, base_url=bench.model.url, key="", timing=bench.clock.timing)
        outcome = guarded.ask(question(), until=100.0)
    assert (outcome.failure, bench.model.asked) == ("forbidden", [])
    assert "TELLBACK_OUTBOUND_ALLOWED" in outcome.detail


def test_a_server_that_drips_or_sleeps_is_left_when_the_time_is_over(bench: Bench) -> None:
    for behaviour in (slow(5), slow(0, drip=0.02)):
        bench.model.behaviour = behaviour
        began = time.monotonic()
        outcome = bench.endpoint.ask(question(), until=bench.clock.seconds + 0.2)
        assert outcome.failure == "slow"
        assert time.monotonic() - began < 2


def test_an_older_server_is_asked_as_it_likes_and_remembered(bench: Bench) -> None:
    bench.model.behaviour = older
    assert ask(bench).value
    assert set(bench.model.asked[-1].body) == {"model", "messages", "max_tokens"}
    before = len(bench.model.asked)
    assert ask(bench).value
    assert len(bench.model.asked) == before + 1


def test_a_request_that_is_refused_for_another_reason_is_not_changed(bench: Bench) -> None:
    bench.model.behaviour = answers(400, message="Your text is not welcome")
    outcome = ask(bench)
    assert (outcome.failure, len(bench.model.asked)) == ("request", 1)
    assert "not welcome" in outcome.detail


def test_a_cost_that_is_not_stated_is_estimated(bench: Bench) -> None:
    def silent(asked: Asked) -> Sends:
        answer = json.loads(well(asked).body)
        del answer["usage"]
        return Sends(body=json.dumps(answer).encode())

    bench.model.behaviour = silent
    usage = ask(bench).usage
    assert usage.input_tokens > 50 and usage.output_tokens > 50


@pytest.mark.parametrize(
    "stated", [{"prompt_tokens": -5, "completion_tokens": -5}, {"prompt_tokens": -9, "completion_tokens": 3}]
)
def test_a_cost_below_nothing_gives_no_money_back(bench: Bench, stated: dict[str, int]) -> None:
    def generous(asked: Asked) -> Sends:
        return Sends(body=json.dumps(json.loads(well(asked).body) | {"usage": stated}).encode())

    bench.model.behaviour = generous
    usage = ask(bench).usage
    assert usage.input_tokens >= 0 and usage.output_tokens >= 0


def test_vectors_have_length_one_and_come_in_order_whatever_order_is_sent(bench: Bench) -> None:
    def shuffled(asked: Asked) -> Sends:
        answer = json.loads(embeddings(asked).body)
        answer["data"] = [
            {**row, "embedding": [3 * value for value in row["embedding"]]} for row in answer["data"][::-1]
        ]
        return Sends(body=json.dumps(answer).encode())

    texts = [f"text number {number}" for number in range(70)]
    plain, usage = bench.endpoint.embed(texts, model="vectors", until=100.0)
    bench.model.behaviour = shuffled
    vectors, _ = bench.endpoint.embed(texts, model="vectors", until=100.0)
    assert np.allclose(plain, vectors, atol=1e-6)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert usage.input_tokens == 700
    assert len(bench.model.asked) == 4


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0, 0.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [0.0, 0.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1e999, 0.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": ["x"]}, {"index": 1, "embedding": [1.0]}],
    ],
)
def test_vectors_that_are_not_one_for_each_text_are_refused(bench: Bench, data: list[Any]) -> None:
    bench.model.behaviour = lambda _: Sends(body=json.dumps({"data": data}).encode())
    with pytest.raises(EndpointError) as caught:
        bench.endpoint.embed(["one", "two"], model="vectors", until=100.0)
    assert caught.value.code == "rejected"


def test_the_key_stands_in_no_message_of_a_failure(bench: Bench) -> None:
    said = []
    for behaviour in (answers(401, message="no"), answers(500), cuts, garbage("html")):
        bench.model.behaviour = behaviour
        outcome = ask(bench)
        said.append(repr(outcome) + outcome.detail)
    assert not any("sk-test" in one for one in said)


def test_many_threads_may_ask_at_once(bench: Bench) -> None:
    outcomes: list[Outcome[Any]] = []
    threads = [threading.Thread(target=lambda: outcomes.append(ask(bench))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.failure for outcome in outcomes] == [""] * 8
