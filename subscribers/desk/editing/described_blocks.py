"""The field of a form that consists of blocks, described for the browser once in each process."""

import json
from collections.abc import Hashable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import NamedTuple

from django.utils.functional import cached_property
from django.utils.translation import get_language
from wagtail.admin.telepath import JSContext
from wagtail.blocks import Block
from wagtail.blocks.base import BlockWidget


class _Description(NamedTuple):
    """All blocks as JSON for the browser, with their scripts and styles."""

    context: JSContext
    blocks: str


class DescribedBlockWidget(BlockWidget):
    """A form of blocks. Describing them is two thirds of the work for its page, so each process keeps the last ones.

    Keep one widget for each form. Django copies it for each page, and the copies share the descriptions.
    `list_choices` cannot be abstract, because Django's widgets have a metaclass already.
    """

    lock: AbstractContextManager[object] = nullcontext()
    """What to hold while the blocks are read."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self._describe = lru_cache(maxsize=8)(self._pack_blocks)

    def list_choices(self) -> Hashable:
        """Return all that a description depends on in one process, besides the language."""
        raise NotImplementedError

    @property
    def js_context(self) -> JSContext:
        return self._description.context

    @property
    def block_json(self) -> str:
        return self._description.blocks

    @cached_property
    def _description(self) -> _Description:
        return self._describe(get_language(), self.list_choices())

    def _pack_blocks(self, _language: str | None, _choices: Hashable) -> _Description:
        context = JSContext()
        with self.lock:
            return _Description(context, json.dumps(context.pack(self.block_def)))
