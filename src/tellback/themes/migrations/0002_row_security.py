"""Row security of the themes' tables, and the signals' reference to them."""

from django.db import migrations

from tellback.platform.tenancy import foreign_key_from_below, row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("themes", "0001_first_tables"),
        ("understanding", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "feedback_themes",
            "theme_space",
        ),
        foreign_key_from_below(table="feedback_signals", column="theme_id", to="feedback_themes"),
    ]
