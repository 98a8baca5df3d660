"""More words of somebody about what they said before: an item of its own, tied to the first one."""

from django.db.models import Q

from tellback.intake.models import RawItem
from tellback.kernel.ids import parse_id

FOLLOW_UP = "followUpTo"


def root_of(item: RawItem) -> RawItem:
    """What an item is a follow-up of, or the item itself."""
    first = item.context_envelope.get(FOLLOW_UP)
    if not first:
        return item
    return RawItem.objects.filter(pk=parse_id(RawItem.id_prefix, str(first))).first() or item


def list_follow_ups(item: RawItem) -> list[RawItem]:
    """What the author themselves added to an item, oldest first; not what somebody else answered to a mail about it."""
    theirs = Q(principal=item.principal_id) | Q(principal=None)
    return list(RawItem.objects.filter(theirs, context_envelope__contains={FOLLOW_UP: item.public_id}).order_by("id"))


def list_thread(item: RawItem) -> list[RawItem]:
    """Everything that was said in one conversation, by whomever: the first item, then what followed, oldest first.

    Empty for an item that nothing followed.
    """
    first = root_of(item)
    more = RawItem.objects.filter(context_envelope__contains={FOLLOW_UP: first.public_id}).select_related("principal")
    found = list(more.order_by("id"))
    return [first, *found] if found else []
