"""Items of a state in the order of their ids.

By the state alone, or by the id alone, the oldest that wait are found only after all that do not wait any more: a batch
took a quarter of a second among 190,000 items.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0010_held_by_a_job")]
    operations = [
        migrations.AddIndex(
            model_name="rawitem",
            index=models.Index(fields=["workspace", "processing_state", "id"], name="raw_feedback_waiting_idx"),
        ),
        migrations.RemoveIndex(model_name="rawitem", name="raw_feedback_state_idx"),
    ]
