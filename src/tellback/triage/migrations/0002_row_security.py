"""Row security of triage's tables."""

from django.db import migrations

from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("triage", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "feedback",
            "feedback_status_change",
            "routing_decision",
        ),
    ]
