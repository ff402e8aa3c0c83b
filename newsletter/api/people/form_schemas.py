"""Requests and answers of calls about the sign-up form of a list, which a website shows on its own pages."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, IPvAnyAddress

from newsletter.api.calls.fields import StoredRequestModel

_MAX_TEXT_LENGTH, _MAX_TYPED_LENGTH = 1_000, 10_000
Sent = Annotated[str, Field(max_length=_MAX_TEXT_LENGTH)]
Typed = Annotated[str, Field(max_length=_MAX_TYPED_LENGTH)]
"""A visitor's own text. It may be longer than its field, so that the visitor learns it."""


class FormName(BaseModel):
    """A list that people can sign up for."""

    list: str = Field(description="Its slug.")
    name: str


class FormChoice(BaseModel):
    value: str
    label: str


class FormField(BaseModel):
    """A field to show. Texts are in the asked language."""

    name: Literal["email", "name", "city", "topics", "language"]
    kind: Literal["email", "text", "many", "one"] = Field(description="many: boxes to tick; one: a menu.")
    label: str
    note: str = Field(description="Such as “(optional)”.")
    hint: str
    required: bool
    autocomplete: str = Field(description="The HTML attribute.")
    max_length: int | None = Field(
        description="The limit of characters. Do not cut a longer text: the answer says that it is too long."
    )
    choices: list[FormChoice]


Fields = list[FormField]


class FormAnswer(BaseModel):
    """The questions and texts of the form of a list. It may be kept for a few minutes; it names nobody."""

    list: str
    language: str = Field(description="The language of the texts.")
    title: str
    description: str
    fields: Fields
    trap: FormChoice = Field(description="The name and label of a field to hide from people. Robots fill it in.")
    wording: str = Field(description="What the person agrees to. Show it beside the button and send it back.")
    button: str


class ChallengeAnswer(BaseModel):
    """A challenge as ALTCHA's own programs read it, for one sign-up within two hours."""

    algorithm: Literal["SHA-256"] = "SHA-256"
    challenge: str
    salt: str
    signature: str
    maxnumber: int


class FilledForm(StoredRequestModel):
    """The fields that a visitor filled in, as they typed them."""

    email: Typed = ""
    name: Typed = ""
    city: Typed = ""
    topics: list[Sent] = Field([], description="Values of the choices.", max_length=100)
    language: Sent = ""
    website: Sent = Field("", description="The hidden field.")
    meant: Sent = Field("", description="The town chosen from `choices` of an answer before.")
    hinted: Sent = Field("", description="The address that the visitor keeps, though another was suggested.")
    hinted_city: Typed | None = Field(
        None,
        description="The town of an earlier call whose answer had an error for `city`, else an empty text. An unknown town is "
        "then asked about once. If you leave it out, it is never asked about, and `texts` say that it was left out.",
    )
    wording: Sent = Field(description="The wording that the visitor saw.")
    shown_in: str = Field("", description="The language of your page. The answer is in it.", max_length=16)
    visitor: IPvAnyAddress = Field(description="The visitor's IP address, for the limits of sign-ups.")
    page: str = Field("", description="Where they signed up, such as the page's address.", max_length=150)
    proof: str = Field("", description="The solved challenge, as ALTCHA encodes it.", max_length=2_000)


class FormError(BaseModel):
    where: str = Field(description="The field's name.")
    what: str
    choices: list[str] = Field(description="The towns that the text could mean, to send back as `meant`.")
    choice_labels: list[str] = Field(description="What the visitor reads for each choice, in the form's language.")
    choices_label: str


class Suggestion(BaseModel):
    """An address that the visitor may have meant. Ask; then send it as `email`, or the typed one as `hinted` too."""

    address: str
    text: str
    accept: str = Field(description="The label of the button that takes it.")
    keep: str = Field(description="The label of the button that keeps what was typed.")


class FormResult(BaseModel):
    """The answer to a visitor, in the words of the newsletter's own page.

    `accepted` is the same for a new, a known and a suppressed address. If false, show the form again with what was typed.
    """

    accepted: bool
    title: str
    texts: list[str]
    hint: str = Field(description="What to show above the form.")
    errors: list[FormError]
    suggestion: Suggestion | None
    form_changed: bool = Field(description="True: read the form again, because its wording is another now.")
