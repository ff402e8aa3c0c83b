"""Distance and direction between two points on the globe."""

from math import asin, atan2, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in kilometres between two points in degrees (haversine, within 0.5 %)."""
    north, east = radians(lat2 - lat1), radians(lon2 - lon1)
    chord = sin(north / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def compass_point(lat1: float, lon1: float, lat2: float, lon2: float) -> str:
    """Return the direction of the second point, seen from the first: "N", "NE", …"""
    east, start, end = radians(lon2 - lon1), radians(lat1), radians(lat2)
    bearing = degrees(atan2(sin(east) * cos(end), cos(start) * sin(end) - sin(start) * cos(end) * cos(east)))
    return ("N", "NE", "E", "SE", "S", "SW", "W", "NW")[round(bearing / 45) % 8]
