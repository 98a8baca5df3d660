"""An item's source is one of its own workspace: one key over both columns, in place of one for each."""

from django.db import migrations

FORWARD = """
    ALTER TABLE feedback_sources ADD CONSTRAINT feedback_sources_own UNIQUE (id, workspace_id);
    ALTER TABLE raw_feedback_items
        DROP CONSTRAINT raw_feedback_items_source_id_921b3142_fk_feedback_sources_id,
        DROP CONSTRAINT raw_feedback_items_workspace_id_69bf24b8_fk_workspace_id,
        ADD CONSTRAINT raw_feedback_items_source_fk FOREIGN KEY (source_id, workspace_id)
            REFERENCES feedback_sources (id, workspace_id) DEFERRABLE INITIALLY DEFERRED;
"""
BACKWARD = """
    ALTER TABLE raw_feedback_items
        DROP CONSTRAINT raw_feedback_items_source_fk,
        ADD CONSTRAINT raw_feedback_items_workspace_id_69bf24b8_fk_workspace_id FOREIGN KEY (workspace_id)
            REFERENCES workspace (id) DEFERRABLE INITIALLY DEFERRED,
        ADD CONSTRAINT raw_feedback_items_source_id_921b3142_fk_feedback_sources_id FOREIGN KEY (source_id)
            REFERENCES feedback_sources (id) DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE feedback_sources DROP CONSTRAINT feedback_sources_own;
"""


class Migration(migrations.Migration):
    """Stricter, and one look-up less for each item that is stored."""

    dependencies = [
        ("intake", "0003_accept"),
    ]

    operations = [
        migrations.RunSQL(sql=FORWARD, reverse_sql=BACKWARD),
    ]
