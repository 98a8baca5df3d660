"""Ids: UUIDv7 in the database, TypeIDs (`raw_fb_01h...`) at every edge.

Source: RFC 9562 section 5.7 (UUIDv7), the TypeID specification 0.3.
"""

from uuid import UUID

import uuid_utils
import uuid_utils.compat
from typeid import TypeID
from typeid.errors import TypeIDException

from tellback.kernel.errors import Invalid


def new_id() -> UUID:
    """A fresh UUIDv7: unique, and ordered by the millisecond in which it was made."""
    return uuid_utils.compat.uuid7()


def to_public(prefix: str, value: UUID) -> str:
    """The TypeID of `value`, for instance `raw_fb_01h455vb4pex5vsknk084sn02q`."""
    return str(TypeID.from_uuid(uuid_utils.UUID(int=value.int), prefix))


def parse_id(prefix: str, text: str) -> UUID:
    """The UUID named by `text`, given as TypeID with this `prefix` or as plain UUID.

    Raises `Invalid` when it is neither, or a TypeID of another kind.
    """
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        parsed = TypeID.from_string(text)
    except TypeIDException as error:
        raise Invalid(f"“{text[:80]}” is not an id. Use the {prefix}_… form or a UUID.") from error
    if parsed.prefix != prefix:
        raise Invalid(f"“{text[:80]}” is not the id of a {prefix}.")
    return UUID(str(parsed.uuid))
