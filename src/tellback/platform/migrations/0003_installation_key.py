"""The key of keyed digests, which outlives the secrets that it is sealed under."""

from django.db import migrations

# One row, of the installation and no workspace: what is in it opens only with the secret key.
TABLE = """
    CREATE TABLE installation_key (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        sealed text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
"""


class Migration(migrations.Migration):
    """A table of at most one row."""

    dependencies = [("platform", "0002_rate_allowance")]

    operations = [migrations.RunSQL(sql=TABLE, reverse_sql="DROP TABLE installation_key;")]
