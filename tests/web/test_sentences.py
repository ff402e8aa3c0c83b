"""What the code says in English, in the language of whoever reads it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from django.utils import translation

from newsletter.common.errors import DomainError
from newsletter.common.translation import PLACE, say
from scripts.messages import LANGUAGES, SENTENCES, read
from scripts.sentences import LEFT_OUT, OPERATORS, ROOT, find_sentences, list_modules


def list_kinds(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for one in kind.__subclasses__():
        yield from list_kinds(one)


REFUSALS = {kind.__name__ for kind in list_kinds(DomainError)} | {"ValidationError", "Finding"}
SHOWN = {"label", "help_text", "heading", "detail", "title", "verbose_name"}
PLAIN = 40
"""Letters of a sentence of its own: anything shorter may also be a part of a longer one."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_known_again_with_its_values_and_said_in_the_language(language: str) -> None:
    wrong = []
    for message in read(language, SENTENCES):
        values = {name: f"x{at}" for at, name in enumerate(PLACE.findall(message.id))} if message.id else {}
        if message.string and len(PLACE.sub("", message.id)) > PLAIN:
            with translation.override(language):
                told = say(message.id % values)
            if told != message.string % values:
                wrong.append((message.id, told))
    assert wrong == []


def test_a_kept_reason_is_said_in_spanish_and_names_stay_as_they_are() -> None:
    held = (
        "The story “It was withdrawn already” was withdrawn and is no longer in it. "
        "Read the issue again, its subject too, then release it."
    )
    with translation.override("es"):
        assert say(held).startswith("La historia “It was withdrawn already” se retiró")
        assert say("paused by Ada Fox") == "en pausa por Ada Fox"


def test_sentences_within_and_after_each_other_are_each_said() -> None:
    with translation.override("es"):
        assert say(
            "“Amara” has a consent that is not complete: who agreed and when they agreed is missing; “Boats” was "
            "withdrawn. Nothing was sent. Take it out, or put its record right."
        ) == (
            "“Amara” tiene un consentimiento incompleto: falta quién dio su consentimiento y cuándo lo dio; “Boats” se ha "
            "retirado. No se envió nada. Quítala, o corrige su registro."
        )
        assert say("The issue has no subject. Write one. A button has no link. Give it one, or take it out.") == (
            "El número no tiene asunto. Escríbelo. Un botón no tiene enlace. Ponle uno, o quítalo."
        )
        assert say("newest, topic Access to courts") == "la más reciente, tema Access to courts"


def test_numbers_and_days_are_written_as_the_language_writes_them() -> None:
    with translation.override("es"):
        assert say("for 12,400 people we do not know whether the provider took the mail").startswith(
            "de 12\xa0400 personas"
        )
        assert (
            say("has a consent that ran out on 3 March 2026")
            == "tiene un consentimiento que terminó el 3 de marzo de 2026"
        )


def test_what_nobody_has_translated_stays_as_it_is_and_english_is_untouched() -> None:
    with translation.override("es"):
        assert say("Zebra crossing closed by the mayor") == "Zebra crossing closed by the mayor"
        assert say("") == ""
    with translation.override("en-gb"):
        assert say("The issue has no subject. Write one.") == "The issue has no subject. Write one."


def test_a_long_text_that_somebody_else_wrote_takes_no_time() -> None:
    with translation.override("es"):
        for text in ("and; and ", "So. It. ", "a: ", "“a” "):
            assert say(text * 400) == text * 400


def test_two_endings_make_two_sentences_and_what_gettext_words_is_one_too() -> None:
    source = """
        a = f"Assembled with {n} stor{'y' if n == 1 else 'ies'}."
        b = _("Nobody would get %(issue)s.")
        "A docstring here."
    """
    assert [sentence for _line, sentence in find_sentences(dedent(source))] == [
        "Assembled with %(n)s story.",
        "Assembled with %(n)s stories.",
        "Nobody would get %(issue)s.",
    ]


def test_every_module_that_refuses_in_words_is_read_for_them_or_speaks_to_operators_alone() -> None:
    """A module that no list names would speak English on a Spanish desk, and nobody would notice."""
    known = {str(file.relative_to(ROOT)) for file in list_modules()} | set(LEFT_OUT)
    unread = sorted(
        {
            name
            for name, node in list_calls("newsletter", "subscribers")
            if name not in known and not name.startswith(OPERATORS) and says_in_english(node)
        }
    )
    assert unread == []


def list_calls(*rooms: str) -> Iterator[tuple[str, ast.Call]]:
    for room in rooms:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and "migrations" not in file.parts:
                    yield str(file.relative_to(ROOT)), node


def says_in_english(call: ast.Call) -> bool:
    """An error, a form's label or help, a message on a page whose words gettext does not have."""
    name = ast.unparse(call.func).rpartition(".")[2]
    said = [keyword.value for keyword in call.keywords if keyword.arg in SHOWN]
    if name in REFUSALS or ast.unparse(call.func).startswith("messages."):
        said += call.args
    return any(list(find_sentences(ast.unparse(one))) for one in said if isinstance(one, ast.Constant | ast.JoinedStr))


def test_no_module_is_left_out_that_is_not_there() -> None:
    assert [name for name in LEFT_OUT if not (ROOT / name).exists()] == []
    assert list_modules()


@pytest.mark.parametrize("room", ["newsletter/desk", "subscribers/desk"])
def test_the_desk_shows_no_error_but_in_the_language_of_whoever_reads_it(room: str) -> None:
    """`str(error)` is English: a view says `say(error)`."""
    unsaid = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and re.fullmatch(r"str\((error|fault|problem|refusal)\)", ast.unparse(node))
    ]
    assert unsaid == []
    assert Path(ROOT / room).is_dir()
