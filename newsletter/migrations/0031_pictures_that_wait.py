from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0022_announced_again")]

    operations = [
        migrations.AddField(
            model_name="story",
            name="picture_waiting",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="story",
            name="page_etag",
            field=models.CharField(blank=True, default="", editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name="story",
            name="page_last_modified",
            field=models.CharField(blank=True, default="", editable=False, max_length=100),
        ),
    ]
