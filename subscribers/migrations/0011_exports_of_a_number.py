"""What a second person allows is a number of people; requests from before are allowed a twentieth more than they asked for."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def give_numbers(apps: Any, schema_editor: Any) -> None:
    requests = apps.get_model("subscribers", "ExportRequest").objects
    requests.filter(alone=True).update(most=F("people"))
    requests.filter(alone=False).update(most=F("people") + F("people") / 20)
    requests.filter(used_at__isnull=False).update(taken=F("people"))
    if schema_editor.connection.vendor == "postgresql":  # which changes no table that has checks to come
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0010_implied_consent")]

    operations = [
        migrations.AddField(
            "exportrequest",
            "most",
            models.PositiveIntegerField(default=0, help_text="How many people the file may hold when it is taken"),
            preserve_default=False,
        ),
        migrations.AddField(
            "exportrequest",
            "taken",
            models.PositiveIntegerField(help_text="How many people were in the file", null=True),
        ),
        migrations.RunPython(give_numbers, migrations.RunPython.noop),
        migrations.AddConstraint(
            "exportrequest",
            models.CheckConstraint(
                condition=Q(alone=True, most=F("people"))
                | Q(alone=False, most__gte=F("people"), most__lte=F("people") + F("people") / 20),
                name="export_grows_by_little",
            ),
        ),
        migrations.AddConstraint(
            "exportrequest",
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, taken__isnull=True)
                | Q(used_at__isnull=False, taken__isnull=False, taken__lte=F("most")),
                name="export_taken_as_allowed",
            ),
        ),
    ]
