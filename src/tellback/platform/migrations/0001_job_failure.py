"""Why a job's last run failed."""

from django.db import migrations


class Migration(migrations.Migration):
    """One row beside each job that failed; it goes with the job."""

    dependencies = [
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE TABLE job_failure (
                    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs (id) ON DELETE CASCADE,
                    error text NOT NULL,
                    at timestamptz NOT NULL DEFAULT now()
                );
            """,
            reverse_sql="DROP TABLE job_failure;",
        ),
    ]
