"""Approvals name their audience, edits name their editor, and another person approves unless staff choose otherwise."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0022_announced_again'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContentEdit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('row_id', models.BigIntegerField()),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='automaticpause',
            name='automatic_pause_rule',
        ),
        migrations.AddField(
            model_name='approval',
            name='audience',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='approval',
            name='audience_sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='approval',
            name='people',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='issue',
            name='announced_audience',
            field=models.CharField(blank=True, editable=False, help_text='The hash of the audience staff were told of.', max_length=64),
        ),
        migrations.AddField(
            model_name='issue',
            name='announced_people',
            field=models.PositiveIntegerField(editable=False, help_text='How many people staff were told would get it.', null=True),
        ),
        migrations.AddField(
            model_name='send',
            name='asked',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='automaticpause',
            name='rule',
            field=models.CharField(choices=[('hard', 'too many addresses that do not exist'), ('complaints', 'too many complaints'), ('authentication', "the domain's proof was refused"), ('domain', 'too many complaints at one mailbox domain'), ('stale', 'it was late'), ('switched_off', 'the publication was switched off')], max_length=14),
        ),
        migrations.AlterField(
            model_name='publication',
            name='another_approves',
            field=models.BooleanField(blank=True, default=None, help_text='Whoever edits an issue, or anything that it shows, cannot approve it; somebody else must. Unless you choose, this is on if two or more people may approve.', null=True),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience_sha256', ''), ('people__isnull', True)), models.Q(models.Q(('audience_sha256', ''), _negated=True), ('people__isnull', False)), _connector='OR'), name='approval_names_its_audience'),
        ),
        migrations.AddConstraint(
            model_name='automaticpause',
            constraint=models.CheckConstraint(condition=models.Q(('rule__in', ['hard', 'complaints', 'authentication', 'domain', 'stale', 'switched_off'])), name='automatic_pause_rule'),
        ),
        migrations.AddField(
            model_name='contentedit',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='contentedit',
            index=models.Index(fields=['kind', 'row_id', 'at'], name='content_edit_by_row'),
        ),
    ]
