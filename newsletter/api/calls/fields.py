"""Parts of the API's requests. Unknown fields are refused, and texts that cannot be stored."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from newsletter.common.languages import MAX_CODE_LENGTH, OFFERED_LANGUAGES, normalise_language_code
from newsletter.rendering.clean_text import UNSAFE_IN_LINE

_Value = TypeVar("_Value")


def reject_nul(value: _Value) -> _Value:
    """Raise ValueError if a text, or one of a list of texts, holds a NUL character, which PostgreSQL cannot store."""
    texts = value if isinstance(value, list) else [value]
    if any("\x00" in text for text in texts if isinstance(text, str)):
        raise ValueError("A NUL character cannot be stored; remove it")
    return value


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _check_line(text: str) -> str:
    """Raise ValueError for a text that the subject of a mail cannot be."""
    if UNSAFE_IN_LINE.search(text):
        raise ValueError("It holds line breaks or invisible characters; send it without them")
    return text


def _normalise_language(text: str) -> str:
    """Return a language code in its usual form, "" for "". Raise ValueError if there is no such language."""
    code = normalise_language_code(text)
    if text and not code:
        raise ValueError(
            f"“{text[:40]}” is not a language code. Write one such as {', '.join(OFFERED_LANGUAGES)} or pt-BR"
        )
    return code


StrippedText = Annotated[str, BeforeValidator(_strip)]
"""A text without white space at its ends, as a form of the desk stores it. So one of only blanks is empty."""
LineText = Annotated[StrippedText, AfterValidator(_check_line)]
"""A stripped text of one line."""
LanguageCode = Annotated[
    StrippedText,
    Field(description="Such as en or pt-BR.", max_length=MAX_CODE_LENGTH),
    AfterValidator(_normalise_language),
]
"""The code of a language, or "". It is kept in its usual form."""
QueryText = Annotated[str, AfterValidator(reject_nul)]


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoredRequestModel(RequestModel):
    """A request whose texts are stored as they are, so that NUL characters are refused."""

    @field_validator("*")
    @classmethod
    def _refuse_nul(cls, value: object) -> object:
        return reject_nul(value)
