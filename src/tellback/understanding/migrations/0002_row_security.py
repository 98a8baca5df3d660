"""Row security of the signals' tables."""

from django.db import migrations

from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("understanding", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "feedback_signals",
            "feedback_signal_corrections",
        ),
    ]
