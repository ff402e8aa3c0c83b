import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0003_custom_attributes'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='subscriber',
            name='attributes',
        ),
        migrations.AlterField(
            model_name='subscriberattribute',
            name='subscriber',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attributes', to='subscribers.subscriber'),
        ),
    ]
