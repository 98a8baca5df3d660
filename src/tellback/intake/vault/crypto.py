"""How the vault seals: values under a data key, data keys under the installation's (`platform.sealing`).

What a sealed value belongs to is authenticated with it, so that one that was moved elsewhere does not open.
"""

from dataclasses import dataclass
from uuid import UUID

from tellback.platform.sealing import Ring, decrypt, encrypt


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value belongs."""

    workspace_id: UUID
    raw_item_id: UUID
    token: str

    def as_bytes(self) -> bytes:
        """The same for the same place, another for any other."""
        return b"value\0" + self.workspace_id.bytes + self.raw_item_id.bytes + self.token.encode()


def wrap(data_key: bytes, *, ring: Ring, workspace_id: UUID, key_id: UUID) -> bytes:
    """The data key as it may be stored, bound to its row."""
    return ring.seal(data_key, about=_key_place(workspace_id, key_id))


def unwrap(wrapped: bytes, *, ring: Ring, workspace_id: UUID, key_id: UUID) -> bytes:
    """The data key again. Raises `WrongSeal` when it belongs to another row, or its secret is not set."""
    return ring.unseal(wrapped, about=_key_place(workspace_id, key_id))


def seal(value: str, *, data_key: bytes, place: Place) -> bytes:
    """The value as it may be stored, bound to its place."""
    return encrypt(value.encode("utf-8", "surrogatepass"), key=data_key, about=place.as_bytes())


def unseal(sealed: bytes, *, data_key: bytes, place: Place) -> str:
    """The value again. Raises `WrongSeal` when it was moved, changed, or sealed under another key."""
    return decrypt(sealed, key=data_key, about=place.as_bytes()).decode("utf-8", "surrogatepass")


def _key_place(workspace_id: UUID, key_id: UUID) -> bytes:
    return b"key\0" + workspace_id.bytes + key_id.bytes
