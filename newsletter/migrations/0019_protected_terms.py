"""Protected terms in use: who may look after them (those who look after people, and administrators), and no empty row."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def let_those_who_look_after_people(apps, schema_editor):
    alias = schema_editor.connection.alias
    config = apps.get_app_config("newsletter")
    config.models_module = True  # permissions are otherwise made only after all migrations
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    may = Permission.objects.using(alias).get(content_type__app_label="newsletter", codename="change_protectedterm")
    for group in Group.objects.using(alias).filter(name__in=["data", "admin"]):
        group.permissions.add(may)


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0018_delivery_in_doubt'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='protectedterm',
            options={'default_permissions': ('change',), 'ordering': ['made_at'], 'verbose_name': 'protected term', 'verbose_name_plural': 'protected terms'},
        ),
        migrations.AlterField(
            model_name='protectedterm',
            name='made_at',
            field=models.DateTimeField(),
        ),
        migrations.AddConstraint(
            model_name='protectedterm',
            constraint=models.CheckConstraint(condition=models.Q(('sealed', ''), _negated=True), name='protected_term_sealed'),
        ),
        migrations.AddConstraint(
            model_name='protectedterm',
            constraint=models.CheckConstraint(condition=models.Q(('digest', ''), _negated=True), name='protected_term_named'),
        ),
        migrations.RunPython(let_those_who_look_after_people, migrations.RunPython.noop),
    ]
