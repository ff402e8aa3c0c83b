"""Replies decide a subject test without clicks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0004_archived_brands'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='subjecttest',
            name='subject_test_measure',
        ),
        migrations.AlterField(
            model_name='subjecttest',
            name='measure',
            field=models.CharField(blank=True, choices=[('clicks', 'Clicks'), ('replies', 'Replies'), ('leaving', 'Unsubscribes and complaints')], default='', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='subjecttest',
            constraint=models.CheckConstraint(condition=models.Q(('measure__in', ['', 'clicks', 'replies', 'leaving'])), name='subject_test_measure'),
        ),
    ]
