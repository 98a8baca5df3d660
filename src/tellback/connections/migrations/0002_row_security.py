"""Row security of the integrations' table."""

from django.db import migrations

from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("connections", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "integration",
        ),
    ]
