"""The cache of the installation: files in its data folder, which is made by the first value and not by the start of a command."""

import os
from pathlib import Path

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache


class LazyFileCache(FileBasedCache):
    """Django's file cache, which makes its folder as soon as it is configured, also in the wrong folder."""

    def __init__(self, dir: str | Path, params: dict[str, object]) -> None:
        BaseCache.__init__(self, params)
        self._dir = os.path.abspath(dir)
