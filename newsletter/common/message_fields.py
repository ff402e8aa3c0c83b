"""Model fields that store messages, so that each reader sees them in their own language."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

from newsletter.common.messages import decode, dumps, encode, loads

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class MessageField(_TextField):
    """Text that may be a `Message`."""

    def get_prep_value(self, value: object) -> object:
        return dumps(value) if isinstance(value, str) else super().get_prep_value(value)

    def from_db_value(self, value: object, expression: object, connection: object) -> object:
        return loads(value) if isinstance(value, str) else value


class MessagesJSONField(models.JSONField):
    """JSON data in which any text may be a `Message`."""

    def get_db_prep_value(self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False) -> object:
        return super().get_db_prep_value(encode(value), connection, prepared)

    def from_db_value(self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper) -> object:
        return decode(super().from_db_value(value, expression, connection))
