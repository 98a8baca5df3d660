"""Row security of the intake's tables, the receipt look-up, and the immutability of raw items."""

from django.db import migrations

from tellback.platform.tenancy import owner_may_look_up, row_security

RECEIPT_LOOKUP = """
    CREATE FUNCTION tellback_find_receipt(wanted_token text) RETURNS TABLE (id uuid, workspace_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ SELECT id, workspace_id FROM public.raw_feedback_items WHERE receipt_token = wanted_token $$;
"""

# Erasure is the one exception, and says so for its transaction: SET LOCAL tellback.erasing = 'on'.
IMMUTABLE = """
    CREATE FUNCTION tellback_refuse_raw_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('tellback.erasing', true) = 'on' THEN
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END IF;
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'A raw feedback item cannot be deleted except by erasure'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF (NEW.id, NEW.workspace_id, NEW.source_id, NEW.source_type, NEW.external_id, NEW.dedupe_key,
            NEW.external_url, NEW.source_created_at, NEW.author, NEW.content, NEW.context_envelope, NEW.channel,
            NEW.category, NEW.severity, NEW.receipt_token, NEW.silent, NEW.created_at)
           IS DISTINCT FROM
           (OLD.id, OLD.workspace_id, OLD.source_id, OLD.source_type, OLD.external_id, OLD.dedupe_key,
            OLD.external_url, OLD.source_created_at, OLD.author, OLD.content, OLD.context_envelope, OLD.channel,
            OLD.category, OLD.severity, OLD.receipt_token, OLD.silent, OLD.created_at) THEN
            RAISE EXCEPTION 'The content of a raw feedback item cannot be changed except by erasure'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;

    CREATE TRIGGER raw_item_immutable BEFORE UPDATE OR DELETE ON raw_feedback_items
        FOR EACH ROW EXECUTE FUNCTION tellback_refuse_raw_change();
"""


class Migration(migrations.Migration):
    """Workspace isolation, held by the database."""

    dependencies = [
        ("intake", "0001_first_tables"),
    ]

    operations = [
        *row_security(
            "feedback_sources",
            "raw_feedback_items",
            "idempotency_key",
            "import_run",
        ),
        *owner_may_look_up("raw_feedback_items"),
        migrations.RunSQL(sql=RECEIPT_LOOKUP, reverse_sql="DROP FUNCTION tellback_find_receipt(text);"),
        migrations.RunSQL(
            sql=IMMUTABLE,
            reverse_sql="""
                DROP TRIGGER raw_item_immutable ON raw_feedback_items;
                DROP FUNCTION tellback_refuse_raw_change();
            """,
        ),
    ]
