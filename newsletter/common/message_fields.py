"""Model fields that keep messages, so that each reader sees them in a language of their own."""

from typing import TYPE_CHECKING, Any

from django.db import models

from newsletter.common.messages import decode, dumps, encode, loads

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class MessageField(_TextField):
    """Text that may be a `Message`."""

    def get_prep_value(self, value: object) -> Any:
        return dumps(value) if isinstance(value, str) else super().get_prep_value(value)

    def from_db_value(self, value: object, expression: object, connection: object) -> Any:
        return loads(value) if isinstance(value, str) else value


class MessagesJSONField(models.JSONField):
    """JSON data in which any text may be a `Message`."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(encode(value), connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decode(super().from_db_value(value, expression, connection))
