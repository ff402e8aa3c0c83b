"""Make the five roles of staff with their permissions, and let the database refuse changes of the staff log."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

LOOK = ["newsletter.view_publication", "newsletter.view_appeal", "newsletter.view_send"]
ALL = ("view", "add", "change", "delete")


def rights(app, *models, may):
    return [f"{app}.{verb}_{model}" for model in models for verb in may]


WRITER = [
    "wagtailadmin.access_admin",
    *LOOK,
    *rights("newsletter", "issue", "story", "eventnotice", may=("view", "change")),
    *rights("subscribers", "topic", "case", may=("view",)),
]
EDITOR = [
    *WRITER,
    *rights("newsletter", "issue", "story", "eventnotice", may=("add", "delete")),
    *rights("newsletter", "appeal", "source", may=ALL),
    *rights("subscribers", "case", may=ALL),
    *rights("newsletter", "brand", "setasideentry", may=("view",)),
    *rights("subscribers", "mailinglist", "segment", may=("view",)),
]
APPROVER = [*EDITOR, "newsletter.approve_issue", "newsletter.send_issue", "newsletter.add_gift"]
DATA = [
    "wagtailadmin.access_admin",
    *LOOK,
    "newsletter.change_protectedterm",
    "newsletter.add_gift",
    "subscribers.reveal",
    *rights("subscribers", "subscriber", "mailinglist", "topic", "segment", "subscriberlocation", may=ALL),
    *rights("subscribers", "subscription", "suppression", "importbatch", may=("view", "add", "change")),
    *rights("subscribers", "importrefusal", "confirmation", "consentevent", may=("view",)),
]
ADMIN = [
    *APPROVER,
    *DATA,
    "newsletter.change_apikey",
    "subscribers.change_webhookendpoint",
    "newsletter.change_maillimits",
    "newsletter.change_canarymailbox",
    "newsletter.view_auditentry",
    *rights("newsletter", "dmarcreport", may=("view", "add")),
    *rights("newsletter", "brand", "publication", may=ALL),
    *rights("auth", "user", may=ALL),
    *rights("auth", "group", may=("view",)),
]
ROLES = {"writer": WRITER, "editor": EDITOR, "approver": APPROVER, "data": DATA, "admin": ADMIN}
PICTURES = {
    "writer": ("add", "choose"),
    "editor": ("add", "choose", "change", "delete"),
    "approver": ("add", "choose", "change", "delete"),
    "admin": ("add", "choose", "change", "delete"),
}
REFUSAL = "The staff log is only added to."


def make_roles(apps, schema_editor):
    """Replace the two groups that Wagtail makes for web pages by the roles of this product."""
    alias = schema_editor.connection.alias
    for label in ("auth", "newsletter", "subscribers", "wagtailimages"):
        config = apps.get_app_config(label)
        config.models_module = True  # permissions are otherwise made only after all migrations
        create_permissions(config, apps=apps, using=alias, verbosity=0)
        config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    groups = Group.objects.using(alias)
    groups.filter(name__in=["Moderators", "Editors"], user__isnull=True).delete()
    for role, names in ROLES.items():
        group, _ = groups.get_or_create(name=role)
        group.permissions.set([find(Permission, alias, name) for name in dict.fromkeys(names)])
    allow_pictures(apps, alias)


def allow_pictures(apps, alias):
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    Right = apps.get_model("wagtailcore", "GroupCollectionPermission")
    root = apps.get_model("wagtailcore", "Collection").objects.using(alias).get(depth=1)
    for role, verbs in PICTURES.items():
        group = Group.objects.using(alias).get(name=role)
        for verb in verbs:
            permission = find(Permission, alias, f"wagtailimages.{verb}_image")
            Right.objects.using(alias).get_or_create(group=group, collection=root, permission=permission)


def find(Permission, alias, name):
    app, _, codename = name.partition(".")
    return Permission.objects.using(alias).get(content_type__app_label=app, codename=codename)


def remove_roles(apps, schema_editor):
    alias = schema_editor.connection.alias
    apps.get_model("auth", "Group").objects.using(alias).filter(name__in=list(ROLES)).delete()


def protect_staff_log(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute(
            "CREATE TRIGGER staff_log_kept BEFORE UPDATE ON newsletter_auditentry "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    elif vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION newsletter_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER staff_log_kept BEFORE UPDATE OR DELETE ON newsletter_auditentry "
            "FOR EACH ROW EXECUTE FUNCTION newsletter_refuse_change()"
        )


def release_staff_log(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS staff_log_kept")
    elif vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS staff_log_kept ON newsletter_auditentry")
        schema_editor.execute("DROP FUNCTION IF EXISTS newsletter_refuse_change()")


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0001_initial"),
        ("subscribers", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailcore", "0098_apitoken"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailimages", "0027_image_description"),
    ]

    operations = [
        migrations.RunPython(make_roles, remove_roles),
        migrations.RunPython(protect_staff_log, release_staff_log),
    ]
