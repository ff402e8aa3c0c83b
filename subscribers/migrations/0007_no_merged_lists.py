from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("subscribers", "0006_merged_lists"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="mailinglist",
            name="merged_list_is_not_public",
        ),
        migrations.RemoveField(
            model_name="mailinglist",
            name="merged_into",
        ),
    ]
