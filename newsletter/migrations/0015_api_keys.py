"""The keys of the API, and who may manage them: administrators."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def let_administrators(apps, schema_editor):
    alias = schema_editor.connection.alias
    config = apps.get_app_config("newsletter")
    config.models_module = True  # permissions are otherwise made only after all migrations
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    may = Permission.objects.using(alias).get(content_type__app_label="newsletter", codename="change_apikey")
    for group in Group.objects.using(alias).filter(name="admin"):
        group.permissions.add(may)


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0014_brands_and_layouts'),
        ('newsletter', '0011_staff_log_kept'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What uses it, such as “Web site” or “Donor database”.', max_length=120)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('hint', models.CharField(editable=False, max_length=12)),
                ('scope', models.CharField(choices=[('people', 'sign up, change and read people'), ('read', 'read publications, issues and receipts'), ('people read', 'both')], max_length=12)),
                ('made_by', models.CharField(max_length=254)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_by', models.CharField(blank=True, default='', max_length=254)),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ['-pk'],
                'default_permissions': ('change',),
                'constraints': [models.CheckConstraint(condition=models.Q(('scope__in', ['people', 'read', 'people read'])), name='api_key_scope')],
            },
        ),
        migrations.RunPython(let_administrators, migrations.RunPython.noop),
    ]
