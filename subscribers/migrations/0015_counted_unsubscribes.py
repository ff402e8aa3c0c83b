"""Who unsubscribed by a link of which mailing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0014_disclosures"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountedUnsubscribe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailing", models.BigIntegerField()),
                ("subscriber_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("mailing", "subscriber_id"), name="unsubscribe_counted_once")
                ],
            },
        ),
    ]
