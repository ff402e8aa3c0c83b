"""The fields of a row that staff edited: an update from its source leaves them alone."""

from collections.abc import Mapping
from typing import Any

from django.db import models


class EditedFieldsMixin(models.Model):
    """Content of a source that staff may edit. ``edited_fields`` names the fields that staff changed."""

    edited_fields: Any

    class Meta:
        abstract = True

    def set_source_values(self, values: Mapping[str, object]) -> None:
        """Set the values of the source, except in fields that staff edited."""
        for name, value in values.items():
            if name not in self.edited_fields:
                setattr(self, name, value)
