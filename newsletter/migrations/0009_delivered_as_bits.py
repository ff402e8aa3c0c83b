import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SPAN = 8192


def carry_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was known of deliveries stood in a row a person."""
    exceptions, delivered = apps.get_model("newsletter", "DeliveryException"), apps.get_model("newsletter", "Delivered")
    bits: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], object] = {}
    rows = exceptions.objects.filter(delivered_at__isnull=False).order_by("delivered_at")
    for pk, send, at in rows.values_list("delivery_id", "delivery__batch__send_id", "delivered_at").iterator():
        key = send, pk // SPAN
        bits[key] = bits.get(key, 0) | 1 << pk % SPAN
        last[key] = at
    delivered.objects.bulk_create(
        delivered(
            send_id=send,
            part=part,
            bits=those.to_bytes(SPAN // 8, "little"),
            people=those.bit_count(),
            last_at=last[send, part],
        )
        for (send, part), those in bits.items()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0008_checks_and_proofs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivered",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.BigIntegerField()),
                ("bits", models.BinaryField(max_length=1024)),
                ("people", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="delivered", to="newsletter.send"
                    ),
                ),
            ],
            options={"verbose_name_plural": "delivered"},
        ),
        migrations.AddConstraint(
            model_name="delivered",
            constraint=models.UniqueConstraint(fields=("send", "part"), name="delivered_once"),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ListReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=120, unique=True)),
                ("begun_at", models.DateTimeField()),
                ("known_until", models.DateTimeField(null=True)),
                ("entries", models.PositiveIntegerField(default=0)),
                ("barred", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.RemoveField(model_name="deliveryexception", name="delivered_at"),
        migrations.AddField(model_name="installation", name="released_at", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="automaticpause", name="automatic_pause_rule"),
        migrations.AlterField(
            model_name="automaticpause",
            name="rule",
            field=models.CharField(
                choices=[
                    ("hard", "too many addresses that do not exist"),
                    ("complaints", "too many complaints"),
                    ("authentication", "the domain's proof was refused"),
                    ("domain", "too many complaints at one mailbox domain"),
                ],
                max_length=14,
            ),
        ),
        migrations.AddConstraint(
            model_name="automaticpause",
            constraint=models.CheckConstraint(
                condition=models.Q(rule__in=["hard", "complaints", "authentication", "domain"]),
                name="automatic_pause_rule",
            ),
        ),
    ]
