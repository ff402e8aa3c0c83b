"""Build ``subscribers/places/regions.es.json``: Spanish names of regions that differ from ``regions.json``.

It needs `pycountry` of the ``places`` extra, which has Debian's iso-codes. A table adds well-known names that are missing there.
Babel names countries. The product never imports it.
"""

import gettext
import json
import re
from pathlib import Path

import pycountry

REPOSITORY = Path(__file__).resolve().parent.parent
PLACES = REPOSITORY / "subscribers" / "places"
SPEAK_SPANISH = frozenset("AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE".split())  # noqa: SIM905
BY_HAND = {
    "AU-NT": "Territorio del Norte",
    "BE-BRU": "Bruselas",
    "BE-VLG": "Flandes",
    "BE-WAL": "Valonia",
    "CH-BE": "Berna",
    "CH-GE": "Ginebra",
    "CH-ZH": "Zúrich",
    "DE-BB": "Brandeburgo",
    "DE-BE": "Berlín",
    "DE-BW": "Baden-Wurtemberg",
    "DE-BY": "Baviera",
    "DE-HH": "Hamburgo",
    "DE-MV": "Mecklemburgo-Pomerania Occidental",
    "DE-NI": "Baja Sajonia",
    "DE-NW": "Renania del Norte-Westfalia",
    "DE-RP": "Renania-Palatinado",
    "DE-SL": "Sarre",
    "DE-SN": "Sajonia",
    "DE-ST": "Sajonia-Anhalt",
    "DE-TH": "Turingia",
    "ES-CT": "Cataluña",
    "ES-IB": "Islas Baleares",
    "ES-NC": "Navarra",
    "ES-PV": "País Vasco",
    "ES-VC": "Comunidad Valenciana",
    "FR-20R": "Córcega",
    "FR-ARA": "Auvernia-Ródano-Alpes",
    "FR-BFC": "Borgoña-Franco Condado",
    "FR-BRE": "Bretaña",
    "FR-CVL": "Centro-Valle de Loira",
    "FR-GES": "Gran Este",
    "FR-HDF": "Alta Francia",
    "FR-IDF": "Isla de Francia",
    "FR-NAQ": "Nueva Aquitania",
    "FR-NOR": "Normandía",
    "FR-OCC": "Occitania",
    "FR-PAC": "Provenza-Alpes-Costa Azul",
    "FR-PDL": "Países del Loira",
    "GB-ENG": "Inglaterra",
    "GB-NIR": "Irlanda del Norte",
    "GB-SCT": "Escocia",
    "GB-WLS": "Gales",
    "IT-52": "Toscana",
    "IT-82": "Sicilia",
    "IT-88": "Cerdeña",
    "JP-13": "Tokio",
}


def name_in_spanish(code: str, name: str, catalogue: gettext.NullTranslations) -> str:
    """Return the Spanish name, or "". In a Spanish-speaking country it is ISO's own name or the one in brackets."""
    if code in BY_HAND:
        return BY_HAND[code]
    told = catalogue.gettext(name)
    if told != name:
        return told
    if code.partition("-")[0] not in SPEAK_SPANISH:
        return ""
    inside = re.search(r"\[([^\]]+)\]", name)
    if inside is None and re.search(r"[/*]", name):
        return ""
    return " ".join(reversed((inside[1] if inside else name).split(", ")))


def main() -> None:
    catalogue = gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=["es"])
    shown = {code: row[0] for code, row in json.loads((PLACES / "regions.json").read_text("utf-8"))["regions"].items()}
    found = {item.code: name_in_spanish(item.code, item.name, catalogue) for item in pycountry.subdivisions}
    names = {code: found[code] for code in sorted(found) if found[code] and found[code] != shown.get(code)}
    text = json.dumps(names, ensure_ascii=False, indent=0) + "\n"
    (PLACES / "regions.es.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
