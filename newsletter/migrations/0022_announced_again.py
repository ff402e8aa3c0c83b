"""An event may be announced again, as where it takes place after all: each mail that told it otherwise is put right once."""

import hashlib
from datetime import UTC, datetime

import django.db.models.deletion
import orjson
from django.db import migrations, models

OF_AN_EVENT = ("starts_at", "all_day", "day", "place", "town", "region", "online", "cancelled")


def count_turns(apps, schema_editor):
    Correction = apps.get_model("newsletter", "Correction")
    turns = {}
    for correction in Correction.objects.using(schema_editor.connection.alias).order_by("pk"):
        which = correction.publication_id, correction.event_id
        turns[which] = correction.turn = turns.get(which, 0) + 1
        if correction.what == "cancelled":
            correction.fingerprint = "cancelled"
        correction.save(update_fields=["turn", "fingerprint"])


def note_told(apps, schema_editor):
    """What went out put right the mails that told it otherwise before: those people are not to be told it again."""
    alias = schema_editor.connection.alias
    Corrected, Correction, Delivery, Variant = (
        apps.get_model("newsletter", name) for name in ("Corrected", "Correction", "Delivery", "Variant")
    )
    for correction in Correction.objects.using(alias).order_by("pk"):
        tellings = dict(
            Delivery.objects.using(alias)
            .filter(issue=correction.issue_id, proof=False)
            .values_list("subscriber_id", "pk")
        )
        if not tellings:
            continue
        corrections = Correction.objects.using(alias).filter(event=correction.event_id)
        announced = dict(corrections.values_list("issue", "fingerprint"))
        shown = apps.get_model("newsletter", "Shown").objects.using(alias)
        shown = shown.filter(kind="event", row_id=correction.event_id).values("variant")
        variants = Variant.objects.using(alias).filter(
            models.Q(pk__in=shown) | models.Q(issue__in=list(announced)), revision__isnull=False
        )
        wrong = [
            variant
            for variant, issue, content in variants.values_list("pk", "issue", "revision__content").iterator()
            if issue != correction.issue_id
            and facts(content, correction.event_id, announced.get(issue)) != correction.fingerprint
        ]
        mails = Delivery.objects.using(alias).filter(
            batch__variant__in=wrong, proof=False, pk__lt=min(tellings.values())
        )
        rows = (
            Corrected(
                delivery_id=mail,
                telling=tellings[person],
                correction=correction,
                event_id=correction.event_id,
                fingerprint=correction.fingerprint,
            )
            for mail, person in mails.exclude(batch__state="pending").values_list("pk", "subscriber_id").iterator()
            if person in tellings
        )
        Corrected.objects.using(alias).bulk_create(rows, batch_size=5000, ignore_conflicts=True)


def facts(content, event_id, announced):
    events = (event for block in content["blocks"] for event in block.get("events", []))
    event = next((event for event in events if event["id"] == event_id), None)
    if event is None:
        return announced
    if event["cancelled"]:
        return "cancelled"
    known = {name: event[name] for name in OF_AN_EVENT}
    known["starts_at"] = datetime.fromisoformat(known["starts_at"]).astimezone(UTC).isoformat()
    return hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0021_who_may_reveal"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="correction", name="correction_once"),
        migrations.RemoveConstraint(model_name="correction", name="correction_what"),
        migrations.AddField(model_name="correction", name="turn", field=models.PositiveIntegerField(default=1)),
        migrations.AlterField(
            model_name="correction",
            name="what",
            field=models.CharField(
                choices=[
                    ("cancelled", "It is cancelled"),
                    ("moved", "It moved"),
                    ("restored", "It takes place after all"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(count_turns, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(fields=("publication", "event", "turn"), name="correction_turn_once"),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(("what__in", ["cancelled", "moved", "restored"])), name="correction_what"
            ),
        ),
        migrations.CreateModel(
            name="Corrected",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("telling", models.BigIntegerField()),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "correction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="put_right",
                        to="newsletter.correction",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="newsletter.delivery",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="newsletter.eventnotice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "event", "fingerprint"), name="mail_put_right_once")
                ],
            },
        ),
        migrations.RunPython(note_told, migrations.RunPython.noop),
    ]
