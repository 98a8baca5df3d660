"""After a rotation: what is still sealed under a former secret, room by room, and sealing it anew.

A room registers what it holds with `reseals`, in its module `sealed`. Everything here may run beside a working
installation, be ended at any time and be repeated: each step is a transaction of its own and finds what is left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q

from tellback.platform.bulk import update_rows
from tellback.platform.sealing import Ring, as_bytes, as_text, is_sealed, secret_ring, text_prefix
from tellback.platform.tenancy import in_workspace, list_workspace_ids

#: Rows that are sealed anew in one transaction.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Holder:
    """Something of a workspace that is kept sealed. Both functions act in the present workspace.

    `count` answers how many there are and how many of them are not under the present key; `reseal` seals up to so many
    of these anew and answers how many.
    """

    what: str
    count: Callable[[], tuple[int, int]]
    reseal: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of a kind are sealed, and how many of them under a former secret."""

    what: str
    sealed: int
    former: int


_holders: dict[str, Holder] = {}


def reseals(holder: Holder) -> None:
    """Register what a room keeps sealed."""
    _holders[holder.what] = holder


def reseals_texts(what: str, model: type[Model], field: str, *, about: Callable[[Any], str]) -> None:
    """Register a column of texts that `sealing.seal` made, where `about` says what each was sealed for."""
    rows = model._default_manager.filter(**{f"{field}__startswith": "s2."})

    def stale() -> Q:
        return ~Q(**{f"{field}__startswith": text_prefix(secret_ring())})

    def count() -> tuple[int, int]:
        return rows.count(), rows.filter(stale()).count()

    def reseal(most: int) -> int:
        found = list(rows.filter(stale()).select_for_update()[:most])
        for row in found:
            setattr(row, field, resealed_text(getattr(row, field), about=about(row)))
        update_rows(found, [field])
        return len(found)

    reseals(Holder(what, count, reseal))


def resealed_text(sealed: str, *, about: str) -> str:
    """The same secret under the present key. Raises `WrongSeal`."""
    ring = secret_ring()
    place = about.encode()
    return as_text(ring.seal(ring.unseal(as_bytes(sealed), about=place), about=place))


def is_current(ring: Ring, sealed: str) -> bool:
    """Whether a text is under the ring's present key, or not sealed at all."""
    return not is_sealed(sealed) or sealed.startswith(text_prefix(ring))


def standings() -> Iterator[Standing]:
    """What is sealed, of all workspaces."""
    for holder in _holders.values():
        counts = []
        for workspace_id in list_workspace_ids():
            with in_workspace(workspace_id):
                counts.append(holder.count())
        yield Standing(holder.what, sum(every for every, _ in counts), sum(former for _, former in counts))


def reseal_all() -> dict[str, int]:
    """Seal everything anew that is under a former secret; returns how many of each kind.

    Raises `WrongSeal` when something is under a secret that is not set; what came before it is done.
    """
    done = dict.fromkeys(_holders, 0)
    for holder in _holders.values():
        for workspace_id in list_workspace_ids():
            while True:
                with in_workspace(workspace_id):
                    count = holder.reseal(AT_ONCE)
                done[holder.what] += count
                if count < AT_ONCE:
                    break
    return done
