"""What a theme weighs by its people's plans and revenue, what its summary rests on, and how far it is counted."""

from django.db import migrations, models

#: When a centre was last changed, as the transaction that did it: whoever keeps centres in memory reads what is new. Not
#: a time, since transactions become visible in another order than they began in.
CHANGED_IN = """
ALTER TABLE feedback_themes ADD COLUMN changed_in xid8 NOT NULL DEFAULT '0';
CREATE FUNCTION feedback_themes_mark_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE INDEX feedback_themes_changed_idx ON feedback_themes (workspace_id, changed_in);
CREATE TRIGGER feedback_themes_changed BEFORE INSERT OR UPDATE OF centroid_embedding, centroid_model, status
    ON feedback_themes FOR EACH ROW EXECUTE FUNCTION feedback_themes_mark_changed();
"""
UNDONE = """
DROP TRIGGER feedback_themes_changed ON feedback_themes;
DROP FUNCTION feedback_themes_mark_changed();
ALTER TABLE feedback_themes DROP COLUMN changed_in;
"""


class Migration(migrations.Migration):
    """Additive: older code may go on writing themes."""

    dependencies = [("themes", "0005_replay")]

    operations = [
        migrations.AddField(
            model_name="theme",
            name="reach",
            field=models.FloatField(
                db_default=0, default=0, help_text="Its people, each weighed by plan and revenue as the workspace says"
            ),
        ),
        migrations.AddField(
            model_name="theme",
            name="revenue",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="What its people's companies pay a month, each once; empty when nobody's is known",
                max_digits=14,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="theme",
            name="summary_cites",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Ids of the signals that it rests on",
            ),
        ),
        migrations.AddField(
            model_name="theme",
            name="counted_signals",
            field=models.IntegerField(db_default=0, default=0, help_text="Signals when its figures were counted"),
        ),
        migrations.RunSQL(CHANGED_IN, UNDONE),
    ]
