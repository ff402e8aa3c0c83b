"""A right of its own to see whole addresses (V10)."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('subscribers', '0011_exports_of_a_number'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='subscriber',
            options={'permissions': [('reveal', 'Can see whole addresses')]},
        ),
    ]
