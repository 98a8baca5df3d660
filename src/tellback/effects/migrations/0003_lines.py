"""Effects that must leave one after the other."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A line for each effect, none for those of before."""

    dependencies = [
        ("effects", "0002_row_security"),
        ("workspaces", "0002_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="effect",
            name="line",
            field=models.TextField(
                blank=True,
                default="",
                help_text="Effects in one line leave in the order in which they came; none is no line",
            ),
        ),
        migrations.AddIndex(
            model_name="effect",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "delivering"]), models.Q(("line", ""), _negated=True)),
                fields=["workspace", "line", "id"],
                name="effect_line_idx",
            ),
        ),
    ]
