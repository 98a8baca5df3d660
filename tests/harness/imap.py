"""A mailbox on loopback: as much of an IMAP server (RFC 3501) as reading one folder takes, and some of its bad days."""

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

USER, PASSWORD = "feedback@harbour.example", 'app pass "word" \\ 1'


@dataclass
class Box:
    """What is in the mailbox, and what it was asked. `trouble` is a name of one of its bad days, or nothing.

    With a `token` it is signed in to with XOAUTH2, and with nothing else.
    """

    validity: int = 7
    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    trouble: str = ""
    port: int = 0
    context: ssl.SSLContext | None = None
    token: str = ""

    def deliver(self, raw: bytes) -> int:
        """Put a mail in; returns its uid."""
        uid = max(self.mails, default=100) + 1
        self.mails[uid] = raw
        return uid

    def forget_uids(self) -> None:
        """Number everything anew, as servers do that were restored."""
        self.validity += 1
        self.mails = dict(enumerate(self.mails.values(), start=1))


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box: Box = self.server.box  # type: ignore[attr-defined]
        if box.trouble == "silent":
            self.rfile.readline()
            return
        self._say("* OK ready" if box.trouble != "not imap" else "220 smtp.example ESMTP")
        with suppress(OSError):
            while line := self.rfile.readline():
                if not self._answer(box, line.decode("utf-8").rstrip("\r\n")):
                    return

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _answer(self, box: Box, line: str) -> bool:
        tag, _, rest = line.partition(" ")
        word, _, said = rest.partition(" ")
        command = (f"UID {said.partition(' ')[0]}" if word.upper() == "UID" else word).upper()
        box.asked.append("LOGIN" if command == "LOGIN" else rest)
        said = said.partition(" ")[2] if command.startswith("UID ") else said
        commands: dict[str, Callable[[], str | None]] = {
            "CAPABILITY": lambda: self._say("* CAPABILITY IMAP4rev1" + (" STARTTLS" if box.context else "")),
            "LOGIN": lambda: self._login(said) if not box.token else "NO [AUTHENTICATIONFAILED] no passwords",
            "AUTHENTICATE": lambda: self._authenticate(box, said),
            "LIST": lambda: self._say('* LIST (\\HasNoChildren) "/" "INBOX"'),
            "SELECT": lambda: self._select(box, said),
            "EXAMINE": lambda: self._select(box, said),
            "UID SEARCH": lambda: self._search(box, said),
            "UID FETCH": lambda: self._fetch(box, said),
            "UID STORE": lambda: self._store(box, said),
            "LOGOUT": lambda: self._say("* BYE"),
        }
        done = commands.get(command, lambda: "BAD unknown")()
        if done == "CUT":
            return False
        if command == "STARTTLS" and box.context:
            self._say(f"{tag} OK go on")
            self.request = box.context.wrap_socket(self.request, server_side=True)
            self.setup()
            return True
        self._say(f"{tag} {done or 'OK done'}")
        return command != "LOGOUT"

    def _login(self, said: str) -> str | None:
        given = [part.replace('\\"', '"').replace("\\\\", "\\") for part in re.findall(r'"((?:[^"\\]|\\.)*)"', said)]
        return None if given == [USER, PASSWORD] else "NO [AUTHENTICATIONFAILED] Invalid credentials"

    def _authenticate(self, box: Box, said: str) -> str | None:
        """XOAUTH2 as Google and Microsoft speak it: what is wrong comes as a challenge, to be answered with nothing."""
        self._say("+ ")
        given = base64.b64decode(self.rfile.readline())
        if said == "XOAUTH2" and box.token and given == f"user={USER}\1auth=Bearer {box.token}\1\1".encode():
            return None
        self._say("+ " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode())
        return "NO AUTHENTICATE failed." if self.rfile.readline() == b"\r\n" else "BAD expected nothing"

    def _select(self, box: Box, said: str) -> str | None:
        if said.strip('"').upper() != "INBOX":
            return "NO no such mailbox"
        self._say(f"* {len(box.mails)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {box.validity}] valid")
        self._say(f"* OK [UIDNEXT {max(box.mails, default=100) + 1}] next")
        return None

    def _search(self, box: Box, said: str) -> None:
        low = int((re.search(r"UID (\d+):\*", said) or ["", "0"])[1])
        since = re.search(r"SINCE (\S+)", said)
        found = [uid for uid in box.mails if uid >= low] or ([max(box.mails)] if box.mails else [])
        if since:
            earliest = datetime.strptime(since[1].strip('"'), "%d-%b-%Y")
            assert earliest.year >= 2000
        self._say("* SEARCH" + "".join(f" {uid}" for uid in found))

    def _fetch(self, box: Box, said: str) -> str | None:
        uids, _, wanted = said.partition(" ")
        for uid in _uids(uids):
            if uid not in box.mails:
                continue
            raw = box.mails[uid]
            if "RFC822.SIZE" in wanted:
                size = 40_000_000 if raw.startswith(b"X-Huge:") else len(raw)
                self._say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {size})")
                continue
            if box.trouble == "cut":
                self.wfile.write(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw[: len(raw) // 2])
                return "CUT"
            self.wfile.write(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        return None

    def _store(self, box: Box, said: str) -> None:
        if "\\Seen" in said:
            box.seen.update(_uids(said.partition(" ")[0]))


def _uids(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        return connection, address


@contextmanager
def mailbox() -> Iterator[Box]:
    """A mailbox that listens on a free port of 127.0.0.1 until the block ends."""
    box = Box()
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.box = box  # type: ignore[attr-defined]
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
