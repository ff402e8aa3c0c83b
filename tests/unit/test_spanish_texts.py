"""The Spanish catalogue speaks to staff and readers informally, and to one person."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

CATALOGUE = Path(__file__).parents[2] / "newsletter/locale/es/LC_MESSAGES/django.po"
_FORMAL = re.compile(
    r"\b([Uu]sted(es)?|ha iniciado|vuelva a intentarlo|[Oo] elija|(Abra|Añada|Avise|Busque|Cambie|Cierre|Compruebe|Corrija"
    r"|Deje|Elija|Envíe|Escriba|Espere|Haga|Inicie|Introduzca|Inténtelo|Marque|Mire|Pida|Ponga|Pregunte|Pruebe|Quite|Revise"
    r"|Use|Verifique|Vuelva))\b"
)

_TO_SEVERAL = re.compile(
    r"\b(\w+[aei]d(me|nos|l[aeo]s?)|\w+[áéí]is|[Vv]uestr[ao]s?|[Vv]osotr[ao]s|[Ss]ois|[Oo]s|\w+([^\Wdt]a|e|i)d)\b"
)
"""Forms of several people, such as “mirad”, “haced” and “seguid”. Nouns in -ad end in -dad or -tad."""
_OTHER_WORDS = frozenset({"Feed", "Read", "SendGrid", "bounced", "pared", "red", "subscribed", "unsubscribed"})


@pytest.fixture(scope="module")
def spanish() -> list[str]:
    with CATALOGUE.open("rb") as file:
        found = [message.string for message in read_po(file) if message.id]
    return [text for one in found for text in ([one] if isinstance(one, str) else one)]


def test_spanish_speaks_to_staff_informally(spanish: list[str]) -> None:
    assert [text for text in spanish if _FORMAL.search(text)] == []


def test_spanish_speaks_to_one_person_as_tu(spanish: list[str]) -> None:
    words = {found[1] for text in spanish for found in _TO_SEVERAL.finditer(re.sub(r"%\(\w+\)s|\{\w+\}", "", text))}
    assert words - _OTHER_WORDS == set()


@pytest.mark.requirement("P4")
@pytest.mark.parametrize("sentence", ["Send me %(name)s by email.", "Yes, send me %(name)s"])
def test_spanish_consent_is_in_the_readers_own_words(sentence: str) -> None:
    with CATALOGUE.open("rb") as file:
        texts = [str(message.string) for message in read_po(file) if str(message.id).startswith(sentence)]
    assert texts
    assert all("quiero recibir %(name)s" in text.lower() for text in texts)
