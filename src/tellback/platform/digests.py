"""Keyed digests: what tells a thing again without telling what it is, for as long as the installation lives.

Their key is made once, kept sealed in the database, and never changes: digests that are compared years later (whom an
erasure meant, which row of a file was imported) survive a rotation of the secret key, which only seals it anew.
"""

import functools
import hashlib
import hmac

import psycopg
from django.db import connection

from tellback.kernel.errors import Unavailable
from tellback.platform.database import conninfo
from tellback.platform.resealing import is_current, resealed_text
from tellback.platform.sealing import new_key, seal, secret_ring, unseal

ABOUT = "installation key"
_FIND = "SELECT sealed FROM installation_key"


def keyed_digest(purpose: str, content: bytes, *, key: bytes | None = None) -> str:
    """HMAC-SHA-256, hex, of the content for this purpose; another purpose gives another digest.

    `key` is for digests that another installation, or an older copy of this one, made.
    """
    return hmac.digest(key or digest_key(), purpose.encode() + b"\0" + content, "sha256").hex()


@functools.cache
def digest_key() -> bytes:
    """The installation's key, made when there is none. Asked of the database once in a process.

    Raises `Unavailable` when the database does not answer, `WrongSeal` without the secret that the key is sealed under.
    """
    return open_digest_key(_stored())


def _stored() -> str:
    """Read, or made, on a connection of its own: a key that somebody uses must not be rolled back."""
    try:
        with psycopg.connect(conninfo(), autocommit=True, connect_timeout=5) as own:
            own.execute(
                "INSERT INTO installation_key (sealed) SELECT %s WHERE NOT EXISTS (SELECT FROM installation_key) "
                "ON CONFLICT DO NOTHING",
                [seal_digest_key(new_key())],
            )
            row = own.execute(_FIND).fetchone()
    except psycopg.Error as error:
        raise Unavailable("The database does not answer. Try again in a moment.") from error
    assert row
    return str(row[0])


def key_name(key: bytes) -> str:
    """Tells a key from others without telling it."""
    return hashlib.sha256(b"digest key\0" + key).hexdigest()[:16]


def seal_digest_key(key: bytes) -> str:
    """A key as it may be kept outside of the database too, sealed under the present secret."""
    return seal(key.hex(), about=ABOUT)


def open_digest_key(sealed: str) -> bytes:
    """The key that `seal_digest_key` sealed. Raises `WrongSeal`."""
    return bytes.fromhex(unseal(sealed, about=ABOUT))


def count_digest_keys() -> tuple[int, int]:
    """Whether the key is there, and whether it is under a former secret, as numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND)
        row = cursor.fetchone()
    return int(row is not None), int(row is not None and not is_current(secret_ring(), row[0]))


def reseal_digest_key() -> bool:
    """Seal the key under the present secret, within the caller's transaction; whether it was under a former one."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_FIND} FOR UPDATE")
        row = cursor.fetchone()
        if row is None or is_current(secret_ring(), row[0]):
            return False
        cursor.execute("UPDATE installation_key SET sealed = %s", [resealed_text(row[0], about=ABOUT)])
        return True


def renew_digest_key() -> None:
    """Make another key, within the caller's transaction: for when the secret of the present one is lost for good.

    Nothing that was digested before is recognised any more. Processes that run keep the former key until they restart.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO installation_key (sealed) VALUES (%s) "
            "ON CONFLICT (single) DO UPDATE SET sealed = excluded.sealed",
            [seal_digest_key(new_key())],
        )
