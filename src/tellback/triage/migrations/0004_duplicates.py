"""Feedback that repeats an earlier one: what its letters look like, and what is suggested."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import foreign_key_from_below, owner_may_look_up, row_security

# Row security keeps an index from an operator that is not leakproof, as that for common elements of arrays is. So this
# acts as the owner, and names the workspace itself. Of what everybody says only some are looked at.
LIKE = """
    CREATE FUNCTION tellback_prints_like(items uuid[], most int) RETURNS TABLE (item uuid, earlier uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off
        AS $$
            SELECT asked.id, near.id
            FROM public.feedback_print AS asked
            CROSS JOIN LATERAL (
                SELECT found.id
                FROM (
                    SELECT other.id, other.bands, other.created_at FROM public.feedback_print AS other
                    WHERE other.bands && asked.bands AND other.workspace_id = asked.workspace_id
                      AND (other.created_at, other.id) < (asked.created_at, asked.id)
                    LIMIT 400
                ) AS found
                ORDER BY (SELECT count(*) FROM unnest(found.bands) AS band WHERE band = ANY (asked.bands)) DESC,
                         found.created_at, found.id
                LIMIT most
            ) AS near
            WHERE asked.id = ANY (items)
              AND asked.workspace_id = nullif(current_setting('tellback.workspace_id', true), '')::uuid
        $$;
"""


class Migration(migrations.Migration):
    """Additive. What came before it was there is found again when it is read again."""

    dependencies = [
        ("intake", "0009_import_runs"),
        ("triage", "0003_answers_and_votes"),
        ("understanding", "0007_nearest_signals"),
        ("workspaces", "0005_signed_out_and_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedbackPrint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("bands", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "feedback_print",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="feedback_print_bands_idx")
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateSuggestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("same_again", "The same again"), ("same_meaning", "Means the same")], max_length=20
                    ),
                ),
                ("score", models.FloatField(help_text="0 to 1, of its kind")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("suggested", "Suggested"),
                            ("confirmed", "Confirmed"),
                            ("dismissed", "Not the same"),
                        ],
                        default="suggested",
                        max_length=10,
                    ),
                ),
                (
                    "counted",
                    models.JSONField(
                        default=list, help_text="Ids of people whose voices were counted there when confirmed"
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="workspaces.principal",
                    ),
                ),
                (
                    "earlier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.rawitem"
                    ),
                ),
                (
                    "raw_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="duplicate_suggestions",
                        to="intake.rawitem",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "db_table": "feedback_duplicate_suggestion",
                "constraints": [
                    models.UniqueConstraint(fields=("raw_item", "earlier"), name="feedback_duplicate_pair_once"),
                    models.CheckConstraint(
                        condition=models.Q(("score__gte", 0), ("score__lte", 1)), name="feedback_duplicate_score_range"
                    ),
                ],
            },
        ),
        *row_security("feedback_print", "feedback_duplicate_suggestion"),
        foreign_key_from_below(table="feedback_print", column="id", to="raw_feedback_items", on_delete="CASCADE"),
        *owner_may_look_up("feedback_print"),
        migrations.RunSQL(sql=LIKE, reverse_sql="DROP FUNCTION tellback_prints_like(uuid[], int);"),
    ]
