"""When an event changed and when staff were told; how many events a source listed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0028_place_questions"),
    ]

    operations = [
        migrations.AddField(
            model_name="eventnotice",
            name="change_told_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="eventnotice",
            name="changed_at",
            field=models.DateTimeField(db_index=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="source",
            name="listed",
            field=models.PositiveIntegerField(
                editable=False, help_text="How many events it listed when it was last read.", null=True
            ),
        ),
    ]
