"""Which protected terms the mails of a send were searched for. Those on their way are searched again by the next sweep."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0019_protected_terms"),
    ]

    operations = [
        migrations.AddField(
            model_name="send",
            name="searched_up_to",
            field=models.BigIntegerField(default=0),
        ),
    ]
