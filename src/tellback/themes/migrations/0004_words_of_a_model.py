"""Which model put a theme into words, and which themes wait for that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Additive: older code may go on writing themes."""

    dependencies = [
        ("themes", "0003_changes_of_themes"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="theme",
            name="described_by",
            field=models.TextField(
                blank=True, db_default="", default="", help_text="The model that put it into words, if any"
            ),
        ),
        migrations.AddField(
            model_name="theme",
            name="wants_words",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A language model is to put it into words"
            ),
        ),
        migrations.AddIndex(
            model_name="theme",
            index=models.Index(
                condition=models.Q(("wants_words", True)), fields=["workspace"], name="feedback_themes_words_idx"
            ),
        ),
    ]
