"""Attributes get rows of their own, which can be indexed; what the old column held is copied, both ways."""

import json
from itertools import islice

import django.db.models.deletion
from django.db import migrations, models

from subscribers.attribute_rules import clean_attributes, fold_value

_AT_ONCE = 2_000


def copy_to_rows(apps, schema_editor):
    subscribers = apps.get_model("subscribers", "Subscriber")
    rows = apps.get_model("subscribers", "SubscriberAttribute")
    held = subscribers.objects.exclude(attributes={}).order_by("pk").values_list("pk", "attributes")
    remaining = held.iterator(chunk_size=_AT_ONCE)
    while several := list(islice(remaining, _AT_ONCE)):
        rows.objects.bulk_create(
            rows(subscriber_id=pk, key=key, value=value, folded=fold_value(value))
            for pk, attributes in several
            if isinstance(attributes, dict)
            for key, value in clean_attributes({name: _text(found) for name, found in attributes.items()})[0].items()
        )


def copy_to_column(apps, schema_editor):
    subscribers = apps.get_model("subscribers", "Subscriber")
    rows = apps.get_model("subscribers", "SubscriberAttribute")
    held = {}
    for pk, key, value in rows.objects.values_list("subscriber_id", "key", "value").iterator():
        held.setdefault(pk, {})[key] = value
    for pk, attributes in held.items():
        subscribers.objects.filter(pk=pk).update(attributes=attributes)


def _text(found):
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0002_how_often'),
    ]

    operations = [
        migrations.CreateModel(
            name='SubscriberAttribute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60)),
                ('value', models.CharField(max_length=300)),
                ('folded', models.CharField(max_length=300)),
                ('subscriber', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='subscribers.subscriber')),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'folded', 'subscriber'], name='attribute_key_value')],
                'constraints': [models.UniqueConstraint(fields=('subscriber', 'key'), name='attribute_one_value'), models.CheckConstraint(condition=models.Q(models.Q(('key', ''), _negated=True), models.Q(('value', ''), _negated=True)), name='attribute_not_empty')],
            },
        ),
        migrations.RunPython(copy_to_rows, copy_to_column, elidable=True),
    ]
