"""Downloads and looks at whole addresses, one by one, count towards what one person may take alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0012_the_right_to_reveal'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Disclosure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('person_file', 'the data of one person'), ('reveal', 'a whole address'), ('refused_lines', 'the refused lines of an import')], max_length=13)),
                ('people', models.PositiveIntegerField()),
                ('about', models.BigIntegerField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['by', 'at'], name='disclosure_by_whom')],
                'constraints': [models.CheckConstraint(condition=models.Q(('people__gte', 1), ('people__lte', 500)), name='disclosure_is_small'), models.CheckConstraint(condition=models.Q(('kind__in', ['person_file', 'reveal', 'refused_lines'])), name='disclosure_kind')],
            },
        ),
    ]
