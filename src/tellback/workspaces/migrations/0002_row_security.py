"""Row security of the workspaces' tables, and the look-ups that find a workspace."""

from django.db import migrations

from tellback.platform.tenancy import owner_may_look_up, row_security

# Each answers one question across workspaces, by an exact value that only its holder knows (or, for the list of ids,
# nothing but ids), so that the app's role never needs to bypass row security.
LOOKUPS = """
    CREATE FUNCTION tellback_workspace_ids() RETURNS TABLE (id uuid, slug varchar)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ SELECT id, slug FROM public.workspace ORDER BY id $$;

    CREATE FUNCTION tellback_find_api_key(wanted_digest text)
        RETURNS TABLE (id uuid, workspace_id uuid, kind varchar, origins jsonb, rate_limit integer)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$
            SELECT id, workspace_id, kind, origins, rate_limit FROM public.api_key
            WHERE digest = wanted_digest AND revoked_at IS NULL
        $$;

    CREATE FUNCTION tellback_workspaces_of_user(wanted_user uuid)
        RETURNS TABLE (workspace_id uuid, principal_id uuid, role varchar)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$
            SELECT workspace_id, id, role FROM public.principal WHERE user_id = wanted_user ORDER BY workspace_id
        $$;
"""
DROP_LOOKUPS = """
    DROP FUNCTION tellback_workspaces_of_user(uuid);
    DROP FUNCTION tellback_find_api_key(text);
    DROP FUNCTION tellback_workspace_ids();
"""


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("workspaces", "0001_first_tables"),
    ]

    operations = [
        *row_security("workspace", column="id"),
        *row_security(
            "principal",
            "external_user_mappings",
            "api_key",
            "audit_entry",
        ),
        *owner_may_look_up("workspace", "principal", "api_key"),
        migrations.RunSQL(sql=LOOKUPS, reverse_sql=DROP_LOOKUPS),
    ]
