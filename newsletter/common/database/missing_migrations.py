"""Find the migrations that the database lacks by their names. To load them all takes a second and megabytes of memory."""

import pkgutil
from functools import cache
from importlib.util import find_spec

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Migration = tuple[str, str]


def list_missing_migrations() -> frozenset[Migration]:
    """Return the installed migrations that are not recorded in the database, as pairs of app and name."""
    return list_installed_migrations() - MigrationRecorder(connection).applied_migrations().keys()


@cache
def list_installed_migrations() -> frozenset[Migration]:
    """Return all migrations of the installed apps, as pairs of app and name. None of them is loaded."""
    return frozenset((app.label, name) for app in apps.get_app_configs() for name in _list_names(app.label))


def _list_names(label: str) -> list[str]:
    package, _ = MigrationLoader.migrations_module(label)
    spec = find_spec(package) if package else None
    if spec is None or spec.origin is None:
        return []
    modules = pkgutil.iter_modules(spec.submodule_search_locations)
    return [module.name for module in modules if not module.ispkg and module.name[0] not in "_~"]
