"""Messages keep their template and values, wherever they go, and are shown in the language of whoever reads them."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from django.utils import translation
from django.utils.translation import override

from newsletter.common.errors import BadValue, DomainError, NotFound
from newsletter.common.messages import (
    Message,
    Quantity,
    decode,
    describe_days,
    describe_hours,
    describe_people,
    dumps,
    encode,
    loads,
)
from newsletter.common.translation import format_percent, translate
from scripts.messages import compile_catalog, find_texts_without_template, update_catalog

TOPIC = "topics of the story were changed: %(value)s"


def test_a_message_is_its_english_text() -> None:
    assert Message("%(count)s people of “%(name)s”", count=Quantity(1920), name="100 %") == "1,920 people of “100 %”"
    assert Message("100 % of it") == "100 % of it"


def test_an_error_has_the_message_of_what_caused_it() -> None:
    cause = NotFound("No publication is called “%(name)s”.", name="weekly")
    error = DomainError("Nothing was sent. %(cause)s", cause=cause)
    assert str(error) == "Nothing was sent. No publication is called “weekly”."
    assert error.message.values["cause"].template == "No publication is called “%(name)s”."


def test_a_message_is_shown_in_the_language_of_the_reader() -> None:
    several = Message.joined([Message("Every Monday"), Message("cancelled"), "as written"])
    with translation.override("es"):
        assert translate(several) == "Todos los lunes; cancelado; as written"
        assert translate(NotFound(Message("cancelled"))) == "cancelado"
        assert translate("plain text") == "plain text"
    assert translate(several) == "Every Monday; cancelled; as written"


def test_numbers_and_dates_are_written_as_the_language_writes_them() -> None:
    said = Message("%(n)s on %(day)s, %(at)s", n=Quantity(1920), day=date(2026, 3, 5), at=datetime(2026, 3, 5, 9, 30))
    assert said == "1,920 on 5 March 2026, 5 March 2026, 09:30"
    with translation.override("es"):
        assert translate(said) == "1\xa0920 on 5 de marzo de 2026, 5 de marzo de 2026, 09:30"


def test_a_kept_message_comes_back_with_its_values() -> None:
    inner = Message("until %(day)s", day=date(2026, 3, 5))
    message = Message("%(inner)s: %(n)s, %(at)s", inner=inner, n=Quantity(3), at=datetime(2026, 3, 5, tzinfo=UTC))
    back = loads(dumps(message))
    assert isinstance(back, Message)
    assert (back, back.template, back.values) == (message, message.template, message.values)
    assert isinstance(back.values["inner"], Message)
    assert decode(encode({"why": [message, 1]})) == {"why": [message, 1]}
    assert loads("plain text") == dumps("plain text") == "plain text"


def test_text_that_looks_like_a_kept_message_stays_text() -> None:
    for text in ('{"message": "no json', '{"message":1,"values":{}}', '{"message":"%(a)s","values":{"b":1}}'):
        assert loads(text) == text


def test_an_error_about_a_value_can_cross_processes() -> None:
    error = pickle.loads(pickle.dumps(BadValue("Choose from %(first)s.", name="days", first=1)))
    assert (str(error), error.name) == ("Choose from 1.", "days")


def test_a_message_survives_copies_and_pickles() -> None:
    message = Message("%(n)s people", n=3)
    for other in (copy.deepcopy(message), pickle.loads(pickle.dumps(message, protocol=5))):
        assert (other, other.template, other.values) == (message, message.template, {"n": 3})


def make_catalog(*texts: str, spanish: str = "") -> Catalog:
    catalog = Catalog(locale="es")
    for text in texts:
        catalog.add(text, spanish)
    return catalog


def write_and_read(catalog: Catalog) -> Catalog:
    file = BytesIO()
    write_po(file, catalog, no_location=True)
    file.seek(0)
    return read_po(file, locale="es")


def test_a_released_message_is_translated_after_its_text_changed() -> None:
    """A table may hold a message as an earlier version wrote it."""
    catalog = make_catalog("No %(name)s.", spanish="Ningún %(name)s.")
    update_catalog(catalog, make_catalog("No %(name)s here."), keeps_obsolete=True)
    catalog = write_and_read(catalog)
    assert [message.id for message in catalog if message.id] == ["No %(name)s here."]
    texts = GNUTranslations(BytesIO(compile_catalog(catalog)))
    assert texts.gettext("No %(name)s.") == "Ningún %(name)s."

    update_catalog(catalog, make_catalog("No %(name)s."), keeps_obsolete=True)
    assert catalog.get("No %(name)s.").string == "Ningún %(name)s."  # the text came back
    assert list(catalog.obsolete) == ["No %(name)s here."]
    update_catalog(catalog, make_catalog(), keeps_obsolete=False)
    assert len(catalog) == len(catalog.obsolete) == 0


def test_messages_put_together_are_each_translated() -> None:
    with translation.override("es"):
        assert translate(Message("cancelled") + ". " + "As written.") == "cancelado. As written."


def test_a_percentage_is_rounded_to_the_nearest_digit_shown() -> None:
    said = [format_percent(percent) for percent in (0, 0.0899, 0.319, 1.7857, 98.249, 100)]
    assert said == ["0 %", "0.09 %", "0.32 %", "1.8 %", "98.2 %", "100 %"]


def test_a_percentage_has_the_decimal_sign_of_the_language() -> None:
    assert [format_percent(share) for share in (0, 0.52, 12.34, 100)] == ["0 %", "0.52 %", "12.3 %", "100 %"]
    with override("es"):
        assert [format_percent(share) for share in (0.52, 12.34, 100.0)] == ["0,52 %", "12,3 %", "100 %"]


def test_a_part_is_never_shown_as_none_or_all_of_it() -> None:
    said = [format_percent(100 * part / whole) for part, whole in ((1, 25_000), (9_997, 10_000), (999_999, 1_000_000))]
    assert said == ["< 0.01 %", "99.9 %", "99.9 %"]
    assert [format_percent(percent) for percent in (0.0099, 0.01, 99.9, 99.94)] == [
        "< 0.01 %",
        "0.01 %",
        "99.9 %",
        "99.9 %",
    ]
    with override("es"):
        assert [format_percent(percent) for percent in (0.004, 99.97)] == ["< 0,01 %", "99,9 %"]


@pytest.mark.parametrize(
    ("describe", "one", "many"),
    [
        (describe_people, "1 person", "1,920 people"),
        (describe_days, "1 day", "1,920 days"),
        (describe_hours, "1 hour", "1,920 hours"),
    ],
)
def test_numbers_in_messages_are_singular_or_plural(describe: Callable[[int], Message], one: str, many: str) -> None:
    assert [describe(number) for number in (1, 1920)] == [one, many]
    assert loads(Message("For %(number)s.", number=describe(1)).dumps()) == f"For {one}."


def test_the_collector_names_each_text_that_cannot_be_translated() -> None:
    """A value that is an f-string is no text of its own."""
    source = 'Message(f"{day} at noon")\nMessage("at %(time)s", time=f"{hour}:00")\nlog(f"{day}")\n'
    assert list(find_texts_without_template(source, {"Message"})) == [(1, "Message")]
