"""Replies of people to our mail."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0002_exports_by_api_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issue', models.BigIntegerField(null=True)),
                ('replied_on', models.DateField()),
                ('origin', models.CharField(choices=[('staff', 'recorded by staff'), ('api', 'reported by another system')], max_length=8)),
                ('by', models.CharField(max_length=254)),
                ('recorded_at', models.DateTimeField()),
                ('subscriber', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='subscribers.subscriber')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['subscriber', 'replied_on'], name='reply_of_person'), models.Index(condition=models.Q(('issue__isnull', False)), fields=['issue'], name='reply_to_issue')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('issue__isnull', False)), fields=('subscriber', 'issue'), name='reply_once_to_an_issue'), models.UniqueConstraint(condition=models.Q(('issue__isnull', True)), fields=('subscriber', 'replied_on'), name='reply_once_on_a_day'), models.CheckConstraint(condition=models.Q(('origin__in', ['staff', 'api']), models.Q(('by', ''), _negated=True)), name='reply_has_an_origin')],
            },
        ),
    ]
