"""No choice was stored for `another_approves`: False was the default. Edits of waiting issues are read from the staff log."""

from django.db import migrations
from django.db.models import Min

EDITS = ["wagtail.create", "wagtail.edit", "wagtail.delete", "wagtail.revert"]
SHOWN = {
    "newsletter": ["story", "eventnotice", "appeal", "brand", "publication", "source"],
    "subscribers": ["mailinglist", "segment", "topic"],
    "wagtailimages": ["image"],
}


def leave_it_to_the_default(apps, schema_editor):
    apps.get_model("newsletter", "Publication").objects.using(schema_editor.connection.alias).filter(
        another_approves=False
    ).update(another_approves=None)


def write_the_default(apps, schema_editor):
    apps.get_model("newsletter", "Publication").objects.using(schema_editor.connection.alias).filter(
        another_approves=None
    ).update(another_approves=False)


def note_edits(apps, schema_editor):
    alias = schema_editor.connection.alias
    waiting = apps.get_model("newsletter", "Issue").objects.using(alias)
    oldest = waiting.filter(state__in=["draft", "in_review", "approved"]).aggregate(at=Min("made_at"))["at"]
    if oldest is None:
        return
    ContentEdit = apps.get_model("newsletter", "ContentEdit")
    entries = apps.get_model("newsletter", "AuditEntry").objects.using(alias)
    entries = entries.filter(timestamp__gte=oldest, action__in=EDITS, user_id__isnull=False)
    people = set(apps.get_model("auth", "User").objects.using(alias).values_list("pk", flat=True))
    for label, models in SHOWN.items():
        of_app = entries.filter(content_type__app_label=label, content_type__model__in=models)
        rows = of_app.values_list("content_type__model", "object_id", "user_id", "timestamp")
        ContentEdit.objects.using(alias).bulk_create(
            ContentEdit(kind=f"{label}.{model}", row_id=int(row), person_id=person, at=at)
            for model, row, person, at in rows
            if row.isdecimal() and person in people
        )


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0023_audiences_and_edits"),
        ("wagtailcore", "0098_apitoken"),
    ]

    operations = [
        migrations.RunPython(leave_it_to_the_default, write_the_default),
        migrations.RunPython(note_edits, migrations.RunPython.noop),
    ]
