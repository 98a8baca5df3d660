"""Prints go straight into their index, since they are looked for at once: a look-up then costs less than half."""

import django.contrib.postgres.indexes
from django.db import migrations

NAME = "feedback_print_bands_idx"


class Migration(migrations.Migration):
    """The same index with another setting; older code does not notice."""

    dependencies = [
        ("triage", "0004_duplicates"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="feedbackprint", name=NAME),
                migrations.AddIndex(
                    model_name="feedbackprint",
                    index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["bands"], name=NAME),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    sql=f"ALTER INDEX {NAME} SET (fastupdate = off);",
                    reverse_sql=f"ALTER INDEX {NAME} RESET (fastupdate);",
                )
            ],
        )
    ]
