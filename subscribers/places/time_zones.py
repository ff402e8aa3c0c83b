"""The time zone in which most people of a region or country live, counted from its towns. A point needs ``towns``."""

from functools import lru_cache

from subscribers.places.towns import town_database


@lru_cache(maxsize=1024)
def main_zone(*, region: str = "", country: str = "") -> str:
    """The IANA zone of a region (top-level ISO 3166-2), else of a country (ISO 3166-1); "" where no town of it is known."""
    land, _, part = region.partition("-")
    rows = town_database.query(
        "SELECT z.name FROM town t JOIN zone z ON z.id = t.zone WHERE t.country = ? AND (? = '' OR t.region = ?)"
        " GROUP BY z.name ORDER BY SUM(t.population) DESC LIMIT 1",
        (land or country, part, part),
    )
    return str(rows[0][0]) if rows else ""
