"""Rate limits: so many a minute for each subject (a key, an address), counted once for all processes.

A subject may come with a burst of a whole minute's allowance, and regains it evenly (the generic cell rate algorithm).
The count is kept in PostgreSQL, on its clock; the edge asks for many requests at a time.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from tellback.kernel.errors import TooMany

TAKE_SQL = (
    "SELECT subject, granted, remaining, wait FROM tellback_take_allowance(%s::uuid, %s::text[], %s::int[], %s::int[])"
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a subject may still send now, and in how many seconds it may send one more than that."""

    limit: int
    remaining: int
    wait: float

    @property
    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "ratelimit-policy": f'"minute";q={self.limit};w=60',
            "ratelimit": f'"minute";r={self.remaining};t={seconds(self.wait)}',
        }


def seconds(wait: float) -> int:
    """Whole seconds that are long enough, at least one."""
    return max(1, int(wait) + 1)


def refuse(*, limit: int, wait: float) -> TooMany:
    """The error for a request over the limit."""
    return TooMany(f"This is limited to {limit} requests a minute.", retry_after=seconds(wait))


def take(*, workspace_id: UUID, subject: str, per_minute: int) -> Allowance:
    """Count one request of `subject`. Raises `TooMany` when it may not pass, and then counts nothing.

    Call it outside of a transaction that does more: the subject's row stays locked until the transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_SQL, [str(workspace_id), [subject], [1], [per_minute]])
        _, granted, remaining, wait = cursor.fetchone()
    if not granted:
        raise refuse(limit=per_minute, wait=wait)
    return Allowance(per_minute, remaining, wait)


def forget_whole_allowances() -> None:
    """Drop the rows of this workspace's subjects that have not come for an hour."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM rate_allowance WHERE whole_at < extract(epoch FROM now()) - 3600")
