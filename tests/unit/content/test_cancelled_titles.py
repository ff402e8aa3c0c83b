"""Titles that say that an event is cancelled or postponed are recognised, and no others."""

import pytest

from newsletter.content.parsing.calendars.cancelled_titles import find_title_note


@pytest.mark.parametrize(
    "title",
    [
        "Canceled: Picnic",
        "CANCELLED – Picnic in the park",
        "[Cancelled] Picnic",
        "*** CANCELLED *** Picnic",
        "CANCELLED Picnic",
        "Picnic (cancelled)",
        "Picnic - CANCELLED!",
        "Picnic: called off",
        "Cancelled",
        "Abgesagt: Lesung",
        "Lesung – fällt leider aus",
        "ANNULÉ : Pique-nique",
        "Pique-nique (annule\u0301)",
        "Cancelada: Marcha",
        "CANCELADO – Piquenique",
        "Anulat: Picnic",
        "Скасовано: Пікнік",
        "ملغى: نزهة",
        "रद्द: पिकनिक",
        "ANNULLATO: Picnic",
        "Afgelast: picknick",
    ],
)
def test_a_title_that_says_cancelled_is_one_to_check(title: str) -> None:
    note = find_title_note(title)
    assert note is not None
    assert "is cancelled" in note


@pytest.mark.parametrize(
    "title",
    [
        "Postponed: Choir",
        "POSTPONED Choir",
        "Choir (verschoben)",
        "Reporté : Chorale",
        "Aplazado: Coro",
        "ADIADO – Coro",
        "Amânat: Cor",
        "Перенесено: Хор",
        "مؤجل: جوقة",
        "स्थगित: गायन",
    ],
)
def test_a_title_that_says_postponed_is_one_to_check(title: str) -> None:
    note = find_title_note(title)
    assert note is not None
    assert "is postponed" in note


@pytest.mark.parametrize(
    "title",
    [
        "Picnic",
        "Sold out: Gala",
        "AUSVERKAUFT: Gala",
        "Cancelled flights and your rights",
        "CANCELLED FLIGHTS AND YOUR RIGHTS",
        "Debt cancelled, what now?",
        "Picnic – not cancelled",
        "The postponed dream",
        "Anulaté",
        "",
    ],
)
def test_an_ordinary_title_is_none_to_check(title: str) -> None:
    assert find_title_note(title) is None


def test_a_long_title_of_marks_takes_no_time() -> None:
    assert find_title_note("-" * 20_000 + "x") is None
    assert find_title_note(" – (" * 5_000) is None
