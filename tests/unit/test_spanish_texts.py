"""The Spanish catalogue speaks to staff informally."""

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


@pytest.fixture(scope="module")
def spanish() -> list[str]:
    with CATALOGUE.open("rb") as file:
        found = [message.string for message in read_po(file) if message.id]
    return [text for one in found for text in ([one] if isinstance(one, str) else one)]


def test_spanish_speaks_to_staff_informally(spanish: list[str]) -> None:
    assert [text for text in spanish if _FORMAL.search(text)] == []
