"""Row security of the boards' tables, and the references to them from below."""

from django.db import migrations

from tellback.platform.tenancy import foreign_key_from_below, row_security


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("boards", "0001_first_tables"),
        ("themes", "0002_row_security"),
    ]

    operations = [
        *row_security(
            "board",
            "status",
            "tag",
            "post",
            "post_tag",
            "vote",
            "comment",
            "post_status_change",
        ),
        foreign_key_from_below(table="feedback_signals", column="board_id", to="board"),
        foreign_key_from_below(table="feedback_themes", column="board_id", to="board"),
        foreign_key_from_below(table="feedback_themes", column="promoted_to_post_id", to="post"),
    ]
