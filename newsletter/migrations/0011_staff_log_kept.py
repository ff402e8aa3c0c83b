"""Lets administrators read the staff log, and lets the database refuse to change it."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

REFUSE = "The staff log is only added to."


def let_read(apps, schema_editor):
    alias = schema_editor.connection.alias
    config = apps.get_app_config("newsletter")
    config.models_module = True  # permissions are otherwise made only after all migrations
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    may = Permission.objects.using(alias).get(content_type__app_label="newsletter", codename="view_auditentry")
    for group in Group.objects.using(alias).filter(name="admin"):
        group.permissions.add(may)


def keep(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute(
            "CREATE TRIGGER staff_log_kept BEFORE UPDATE ON newsletter_auditentry "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END"
        )
    elif vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION newsletter_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER staff_log_kept BEFORE UPDATE OR DELETE ON newsletter_auditentry "
            "FOR EACH ROW EXECUTE FUNCTION newsletter_refuse_change()"
        )


def let_go(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS staff_log_kept")
    elif vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS staff_log_kept ON newsletter_auditentry")
        schema_editor.execute("DROP FUNCTION IF EXISTS newsletter_refuse_change()")


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0010_staff_log_and_clicks"),
        ("newsletter", "0002_roles"),
    ]

    operations = [
        migrations.RunPython(let_read, migrations.RunPython.noop),
        migrations.RunPython(keep, let_go),
    ]
