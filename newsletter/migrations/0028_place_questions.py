"""Questions about the places of events, and the answers of staff."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("newsletter", "0027_pictures_that_wait"),
    ]

    operations = [
        migrations.AddField(
            model_name="eventnotice",
            name="place_question",
            field=models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="{note, candidates: [{town, country, region, latitude, longitude, zone}]}, or empty.",
            ),
        ),
        migrations.CreateModel(
            name="SettledPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.CharField(max_length=300)),
                ("town", models.CharField(blank=True, max_length=120)),
                ("country", models.CharField(max_length=2)),
                ("region", models.CharField(blank=True, max_length=10)),
                (
                    "latitude",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(-90),
                            django.core.validators.MaxValueValidator(90),
                        ]
                    ),
                ),
                (
                    "longitude",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(-180),
                            django.core.validators.MaxValueValidator(180),
                        ]
                    ),
                ),
                ("zone", models.CharField(blank=True, max_length=60)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settled_places",
                        to="newsletter.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "words"), name="place_settled_once"),
                ],
            },
        ),
    ]
