"""Until when a provider asks everybody to wait, and how many calls in a row came to nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0029_event_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="wait_until",
            field=models.FloatField(default=0, help_text="Seconds since 1970: nobody calls before."),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="failures",
            field=models.PositiveIntegerField(default=0, help_text="Single mails in a row that came to nothing."),
        ),
    ]
