"""What the loop keeps of what people were told, and for how long."""

from datetime import UTC, datetime, timedelta

from tellback.loop.models import Notification
from tellback.loop.upkeep import forget_notifications
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def test_a_notice_goes_three_months_after_it_was_read_and_unread_after_a_year(workspace: Workspace) -> None:
    ada = Principal.objects.create(workspace=workspace, display_name="Ada")
    for key, made, read in (
        ("read long ago", 100, 91),
        ("read of late", 400, 89),
        ("never read", 366, None),
        ("not read yet", 364, None),
    ):
        Notification.objects.create(
            workspace=workspace,
            principal=ada,
            type="post_status_changed",
            key=key,
            title=key,
            created_at=NOW - timedelta(days=made),
            read_at=NOW - timedelta(days=read) if read is not None else None,
        )
    assert forget_notifications(now=NOW) == 2
    assert set(Notification.objects.values_list("key", flat=True)) == {"read of late", "not read yet"}
