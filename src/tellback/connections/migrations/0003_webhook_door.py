"""Finding the workspace of a connection from the id in a webhook's address."""

from django.db import migrations

from tellback.platform.tenancy import owner_may_look_up

CONNECTION_LOOKUP = """
    CREATE FUNCTION tellback_find_connection(wanted uuid) RETURNS TABLE (workspace_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ SELECT workspace_id FROM public.integration WHERE id = wanted $$;
"""


class Migration(migrations.Migration):
    """The look-up behind /hooks/."""

    dependencies = [
        ("connections", "0002_row_security"),
    ]

    operations = [
        *owner_may_look_up("integration"),
        migrations.RunSQL(sql=CONNECTION_LOOKUP, reverse_sql="DROP FUNCTION tellback_find_connection(uuid);"),
    ]
