"""Parts of the API's requests. Unknown fields are refused, and texts that cannot be stored."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

_Value = TypeVar("_Value")


def reject_nul(value: _Value) -> _Value:
    """Raise ValueError if a text, or one of a list of texts, holds a NUL character, which PostgreSQL cannot store."""
    texts = value if isinstance(value, list) else [value]
    if any("\x00" in text for text in texts if isinstance(text, str)):
        raise ValueError("A NUL character cannot be stored; remove it")
    return value


QueryText = Annotated[str, AfterValidator(reject_nul)]


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoredRequestModel(RequestModel):
    """A request whose texts are stored as they are, so that NUL characters are refused."""

    @field_validator("*")
    @classmethod
    def _refuse_nul(cls, value: object) -> object:
        return reject_nul(value)
