"""Who acts on a receipt: the author of the item, also one who gave no name."""

from uuid import UUID, uuid5

from tellback.intake.models import RawItem
from tellback.workspaces.models import Principal, PrincipalType


def author_of(item: RawItem) -> Principal:
    """Who puts things right on a receipt: its author, or one stand-in for all who gave no name."""
    if item.principal is not None:
        return item.principal
    stand_in, _made = Principal.objects.get_or_create(
        id=_stand_in_id(item.workspace_id),
        defaults={
            "workspace_id": item.workspace_id,
            "type": PrincipalType.SERVICE,
            "display_name": "Its author",
        },
    )
    return stand_in


def is_author(principal_id: UUID | None, item: RawItem) -> bool:
    """Whether something was done by an item's author, also before they left an address."""
    return principal_id is not None and principal_id in {item.principal_id, _stand_in_id(item.workspace_id)}


def _stand_in_id(workspace_id: UUID) -> UUID:
    return uuid5(workspace_id, "tellback: the author of an item without a name")
