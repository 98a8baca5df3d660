"""Row security of the loop's tables."""

from django.db import migrations

from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("loop", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "post_subscriptions",
            "changelog_entry",
            "changelog_entry_posts",
            "changelog_recipient",
            "in_app_notifications",
        ),
    ]
