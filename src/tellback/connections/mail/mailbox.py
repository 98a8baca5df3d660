"""A mailbox over IMAP: looking whether it can be used, and reading what is new in it, oldest first.

Mail stays where it is. Reading sets no flag; marking as seen is a step of its own, taken after a mail was accepted.
"""

import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from tellback.connections.mail.mime import MOST_BYTES
from tellback.connections.mail.setup import Mailbox
from tellback.kernel.errors import Invalid, TellbackError, Unavailable
from tellback.platform.outbound import is_allowed_network, open_connection

PATIENCE = 20.0
#: Mails that one look takes at most; the next look follows at once.
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mailbox has been read. A uid means something only together with its `validity` (RFC 3501, 2.3.1.1)."""

    validity: int
    last_uid: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in a mailbox: its bytes, or None for one that is too large."""

    uid: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a mailbox was like when somebody looked: how many mails are in the folder, and where reading would begin."""

    messages: int
    position: Position


class _Pinned(imaplib.IMAP4):
    """An IMAP connection over a socket whose address has been checked."""

    def __init__(self, host: str, port: int, connection: socket.socket) -> None:
        self._given = connection
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:  # noqa: ARG002 - imaplib's signature
        return self._given


class _Client(IMAPClient):  # type: ignore[misc]
    def _create_IMAP4(self) -> imaplib.IMAP4:
        connection = open_connection(self.host, self.port, timeout=PATIENCE)
        try:
            if self.ssl:
                connection = self.ssl_context.wrap_socket(connection, server_hostname=self.host)
            elif self.ssl_context is None and not is_allowed_network(ip_address(connection.getpeername()[0])):
                raise Invalid("Without encryption a password may only go to a network that the operator allowed.")
            return _Pinned(self.host, self.port, connection)
        except BaseException:
            connection.close()
            raise


@contextmanager
def open_mailbox(mailbox: Mailbox, *, secret: str) -> Iterator[IMAPClient]:
    """A session that is signed in. `secret` is the password, or the access token of a mailbox with `oauth`.

    Raises `Invalid` for what the person has to put right and `Unavailable` for what may pass, both in a sentence that
    says which.
    """
    try:
        context = None if mailbox.security == "none" else ssl.create_default_context()
        client = _Client(
            mailbox.host,
            mailbox.port,
            ssl=mailbox.security == "tls",
            ssl_context=context,
            timeout=SocketTimeout(PATIENCE, PATIENCE),
        )
        with client:
            if mailbox.security == "starttls":
                client.starttls(context)
            if mailbox.oauth:
                _sign_in_with_token(client, mailbox.username, secret)
            else:
                _sign_in(client, mailbox.username, secret)
            yield client
    except TellbackError:
        raise
    except Exception as error:
        raise _explained(error, mailbox) from error


def _sign_in(client: IMAPClient, username: str, password: str) -> None:
    if username.isascii() and password.isascii():
        # imaplib quotes the password and takes the name as it is.
        quoted = username.replace("\\", "\\\\").replace('"', '\\"')
        client.login(f'"{quoted}"', password)
    else:
        client.plain_login(username, password)


def _sign_in_with_token(client: IMAPClient, username: str, token: str) -> None:
    """XOAUTH2: the token first, and nothing more when the server answers with what is wrong."""
    said = iter([f"user={username}\1auth=Bearer {token}\1\1"])
    try:
        client.sasl_login("XOAUTH2", lambda _problem: next(said, ""))
    except LoginError as error:
        raise Invalid(
            f"{client.host} does not accept the access token for {username}. See there that this client may use IMAP, "
            f"and this user's mailbox. It says: {_said(error)}"
        ) from error


def _explained(error: Exception, mailbox: Mailbox) -> TellbackError:
    host, told = mailbox.host, _said(error)
    certificate = getattr(error, "verify_message", "")
    no_upgrade = "starttls" in told.lower()
    explanations: tuple[tuple[type[Exception] | tuple[type[Exception], ...], bool, TellbackError], ...] = (
        (
            LoginError,
            True,
            Invalid(
                f"{host} does not accept this user and password. Many providers want an app password here. It says: "
                f"{told}"
            ),
        ),
        (ssl.SSLCertVerificationError, True, Invalid(f"The certificate of {host} cannot be trusted: {certificate}.")),
        (ssl.SSLError, True, Invalid(f"{host} does not speak TLS on port {mailbox.port}. Try STARTTLS, or port 993.")),
        (TimeoutError, True, Unavailable(f"{host} took longer than {PATIENCE:.0f} seconds to answer.")),
        (
            imaplib.IMAP4.error,
            no_upgrade,
            Invalid(f"{host} does not offer STARTTLS on port {mailbox.port}. Try TLS on port 993."),
        ),
        ((OSError, imaplib.IMAP4.error), True, Unavailable(f"The talk with {host} broke off: {told}")),
    )
    found = (said for kind, holds, said in explanations if holds and isinstance(error, kind))
    return next(found, Unavailable(f"{host} answered something that is not IMAP ({type(error).__name__})."))


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "".join(one for one in text if one.isprintable())[:200]


def look(client: IMAPClient, mailbox: Mailbox) -> Looked:
    """Open the folder and see what is in it. Raises `Invalid` when there is no such folder."""
    try:
        told = client.select_folder(mailbox.folder, readonly=not mailbox.mark_seen)
    except IMAPClientError as error:
        names = ", ".join(str(name) for _flags, _mark, name in client.list_folders()[:20])
        raise Invalid(f"There is no folder “{mailbox.folder}”. There are: {names}.") from error
    validity = int(told[b"UIDVALIDITY"])
    messages = int(told[b"EXISTS"])
    following = int(told.get(b"UIDNEXT") or (max(client.search(["ALL"]), default=0) + 1))
    return Looked(messages, Position(validity, following - 1))


def list_new(client: IMAPClient, after: Position, *, since: date | None) -> list[int]:
    """The uids behind a position, oldest first, not sent to the folder before `since`."""
    criteria: list[object] = ["UID", f"{after.last_uid + 1}:*"]
    if since is not None:
        criteria += ["SINCE", since]
    # “n:*” names the last message also when it lies before n.
    return sorted(uid for uid in client.search(criteria) if uid > after.last_uid)


def read_letters(client: IMAPClient, uids: list[int]) -> Iterator[Letter]:
    """The mails of these uids, in order, each fetched when it is asked for. One that has gone is passed over."""
    sizes = client.fetch(uids, ["RFC822.SIZE"]) if uids else {}
    for uid in uids:
        size = sizes.get(uid, {}).get(b"RFC822.SIZE")
        if size is None:
            continue
        if int(size) > MOST_BYTES:
            yield Letter(uid, None)
            continue
        raw = client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {}).get(b"BODY[]")
        if isinstance(raw, bytes):
            yield Letter(uid, raw)


def mark_seen(client: IMAPClient, uid: int) -> None:
    """Mark one mail as read."""
    client.add_flags([uid], [b"\\Seen"], silent=True)
