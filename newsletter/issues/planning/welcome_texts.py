"""The words with which the mails of a welcome begin, in each language. Staff edit and approve them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from newsletter.issues.snapshot.filled_blocks import BEST_STORY, NEXT_EVENT
from newsletter.rendering.phrases import base_language


class WelcomeText(NamedTuple):
    """One drafted mail. ``{publication}`` and ``{organisation}`` become their names.

    ``notes`` are (heading, paragraphs); ``filled`` are the blocks after the first note that a rule fills.
    """

    subject: str
    preheader: str
    notes: Sequence[tuple[str, str]]
    filled: Sequence[str]


_FIRST_FILLED, _SECOND_FILLED, _THIRD_FILLED = (BEST_STORY, NEXT_EVENT), (BEST_STORY,), (NEXT_EVENT,)
WELCOME_DAYS = (0, 3, 10)
WELCOME_TEXTS: Mapping[str, Sequence[WelcomeText]] = {
    "en": (
        WelcomeText(
            "Welcome to {publication}",
            "What you will get, and how you choose it",
            (
                (
                    "Thank you for joining us",
                    'Hello {{ first_name | default:"friend" }},\n\nyou confirmed that you want {publication}. In each issue you '
                    "find stories from our work, events near you, and ways to get involved.",
                ),
                (
                    "You choose",
                    "At the end of every email there are two links: one to choose what you get and how often, and one to "
                    "unsubscribe with one click. Or just reply to this email. A person reads it.",
                ),
            ),
            _FIRST_FILLED,
        ),
        WelcomeText(
            "Why we do this",
            "What we work for, and with whom",
            (
                (
                    "Why we do this",
                    'Hello {{ first_name | default:"friend" }},\n\na few days ago you joined {publication}. Stories show best '
                    "what {organisation} works for, so you find them in every issue.",
                ),
            ),
            _SECOND_FILLED,
        ),
        WelcomeText(
            "How you can take part",
            "Come along, share a story, or write to us",
            (
                (
                    "How you can take part",
                    'Hello {{ first_name | default:"friend" }},\n\nsome readers come to an event, some share a story with a '
                    "friend, and some write to us. What suits you?",
                ),
            ),
            _THIRD_FILLED,
        ),
    ),
    "es": (
        WelcomeText(
            "Te damos la bienvenida a {publication}",
            "Qué vas a recibir y cómo lo eliges",
            (
                (
                    "Gracias por unirte",
                    'Hola, {{ first_name | default:"qué tal" }}:\n\nhas confirmado que quieres recibir {publication}. En cada '
                    "número encontrarás historias de nuestro trabajo, eventos cerca de ti y formas de participar.",
                ),
                (
                    "Tú eliges",
                    "Al final de cada correo hay dos enlaces: uno para elegir qué recibes y con qué frecuencia, y otro para "
                    "darte de baja con un clic. O responde a este correo: lo lee una persona.",
                ),
            ),
            _FIRST_FILLED,
        ),
        WelcomeText(
            "Por qué hacemos esto",
            "Para qué trabajamos, y con quién",
            (
                (
                    "Por qué hacemos esto",
                    'Hola, {{ first_name | default:"qué tal" }}:\n\nhace unos días te uniste a {publication}. Las historias son '
                    "lo que mejor muestra para qué trabaja {organisation}; por eso las encuentras en cada número.",
                ),
            ),
            _SECOND_FILLED,
        ),
        WelcomeText(
            "Cómo puedes participar",
            "Ven a un evento, comparte una historia o escríbenos",
            (
                (
                    "Cómo puedes participar",
                    'Hola, {{ first_name | default:"qué tal" }}:\n\nhay quien viene a un evento, quien comparte una historia y '
                    "quien nos escribe. ¿Qué te va mejor a ti?",
                ),
            ),
            _THIRD_FILLED,
        ),
    ),
}


def has_welcome_texts(language: str) -> bool:
    return base_language(language) in WELCOME_TEXTS


def find_welcome_texts(language: str) -> Sequence[WelcomeText]:
    """Return the mails in order. A language that is not here gets English."""
    return WELCOME_TEXTS.get(base_language(language), WELCOME_TEXTS["en"])
