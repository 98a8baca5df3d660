"""Row security of the outbox's tables."""

from django.db import migrations

from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("effects", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "effect",
            "event",
            "kept_mail",
        ),
    ]
