"""The labels of our Django apps, which must be free for apps of other packages."""

import sys
from pathlib import Path

import pytest
from django.apps import AppConfig
from django.apps.registry import Apps
from django.conf import settings


def test_apps_of_extensions_may_be_called_as_our_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [entry for entry in settings.INSTALLED_APPS if AppConfig.create(entry).name.startswith("newsletter.")]
    names = [AppConfig.create(entry).name.removeprefix("newsletter.") for entry in parts]
    assert {"backups", "organisation"} <= set(names)
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        registry = Apps([*parts, *names])
        assert registry.get_app_config("backups").path == str(tmp_path / "backups")
    finally:
        for name in names:
            sys.modules.pop(name, None)
