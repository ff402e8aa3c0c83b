from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0026_one_row_a_story")]

    operations = [
        migrations.AddField(
            model_name="story",
            name="picture_waiting",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="story",
            name="picture_page_etag",
            field=models.CharField(blank=True, default="", editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name="story",
            name="picture_page_modified",
            field=models.CharField(blank=True, default="", editable=False, max_length=100),
        ),
    ]
