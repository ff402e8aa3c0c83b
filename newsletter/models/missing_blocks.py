"""A block of a kind that is not installed: kept as it is, and shown to staff as not available."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.functional import lazystr
from django.utils.translation import gettext as _
from wagtail import blocks

from newsletter.common.translation import translate
from newsletter.rendering.block_kind import BLOCK_KINDS

_SALT = "newsletter.missing-block"


class MissingBlock(blocks.FieldBlock):
    """Keeps the value of a block whose kind is missing. The form carries it signed, so that nobody can change it there."""

    def __init__(self, kind: str, **kwargs: object) -> None:
        self.kind = kind
        self.field = forms.CharField(required=False, widget=forms.HiddenInput(), help_text=lazystr(_Explanation(kind)))
        super().__init__(label=lazystr(_Label(kind)), icon="warning", **kwargs)

    def value_for_form(self, value: object) -> str:
        return signing.dumps(json.dumps(value), salt=_SALT, compress=True)

    def value_from_form(self, value: str) -> object:
        try:
            return json.loads(signing.loads(value, salt=_SALT))
        except signing.BadSignature as error:
            raise ValidationError(_("This block cannot be saved. Open the page again.")) from error

    def clean(self, value: object) -> object:
        return value

    def to_python(self, value: object) -> object:
        return value

    def get_prep_value(self, value: object) -> object:
        return value


class StreamWithMissingBlocks(blocks.StreamBlock):
    """A stream that keeps blocks whose kind is missing."""

    def to_python(self, value: Any) -> blocks.StreamValue:
        """Keep blocks of missing kinds: Wagtail leaves out unknown blocks, and the next save would delete them."""
        found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
        if isinstance(found, list):
            self._add_missing(found)
        return super().to_python(found)

    def bulk_to_python(self, values: Any) -> list[blocks.StreamValue]:
        streams = list(values)
        for stream in streams:
            self._add_missing(stream)
        return list(super().bulk_to_python(streams))

    def _add_missing(self, stream: Iterable[Any]) -> None:
        for kind in {child["type"] for child in stream if isinstance(child, dict)} - self.child_blocks.keys():
            missing = MissingBlock(kind)
            missing.set_name(kind)
            self.child_blocks[kind] = missing


class _Label:
    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __str__(self) -> str:
        return _("Not available: %(kind)s") % {"kind": self._kind.replace("_", " ")}


class _Explanation(_Label):
    def __str__(self) -> str:
        return _("%(why)s Until then the block is kept as it is, and the issue cannot be approved with it.") % {
            "why": translate(BLOCK_KINDS.explain_missing(self._kind))
        }
