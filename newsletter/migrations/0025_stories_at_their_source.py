"""Whether a story is still shown at its source, which sources list it, and which addresses it has."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('newsletter', '0024_another_approves_by_default'),
        ('subscribers', '0014_disclosures'),
    ]

    operations = [
        migrations.CreateModel(
            name="StoryAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("address", models.CharField(max_length=2000)),
            ],
            options={"verbose_name_plural": "story addresses"},
        ),
        migrations.CreateModel(
            name="StoryOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(max_length=500)),
            ],
        ),
        migrations.AddField(
            model_name="send",
            name="unchecked",
            field=models.JSONField(
                default=list, help_text="[[title, why], …]: stories that could not be checked before it began."
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="check_failed",
            field=models.CharField(blank=True, default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="story",
            name="checked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="story",
            name="gone_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="story",
            name="gone_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("removed", "Removed at its source"),
                    ("private", "Not public at its source"),
                    ("protected", "Protected by a password at its source"),
                ],
                default="",
                editable=False,
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="page_etag",
            field=models.CharField(blank=True, default="", editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name="story",
            name="page_modified",
            field=models.CharField(blank=True, default="", editable=False, max_length=100),
        ),
        migrations.AddField(
            model_name="story",
            name="same_as",
            field=models.ForeignKey(
                editable=False,
                help_text="The story that stands for both, where two rows turned out to be one story.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="twins",
                to="newsletter.story",
            ),
        ),
        migrations.AddConstraint(
            model_name="story",
            constraint=models.CheckConstraint(
                condition=models.Q(("gone_code__in", ["", "removed", "private", "protected"])), name="story_gone_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="story",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("gone_at__isnull", True), ("gone_code", "")),
                    models.Q(("gone_at__isnull", False), models.Q(("gone_code", ""), _negated=True)),
                    _connector="OR",
                ),
                name="story_gone_has_code",
            ),
        ),
        migrations.AddField(
            model_name="storyaddress",
            name="story",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="addresses", to="newsletter.story"
            ),
        ),
        migrations.AddField(
            model_name="storyorigin",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="origins", to="newsletter.source"
            ),
        ),
        migrations.AddField(
            model_name="storyorigin",
            name="story",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="origins", to="newsletter.story"
            ),
        ),
        migrations.AddConstraint(
            model_name="storyorigin",
            constraint=models.UniqueConstraint(fields=("source", "external_id"), name="story_origin_once"),
        ),
    ]
