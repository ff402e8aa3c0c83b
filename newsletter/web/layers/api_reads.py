"""Name the requests that the web server answers one after another: reads of the API.

Threads that compute at once take Python's lock from each other at every query, which costs more time than the answers.
"""

_READS = (b"GET /api/", b"HEAD /api/")


def is_api_read(first_line: bytes) -> bool:
    """Return True if a request with this first line reads from the API."""
    return first_line.startswith(_READS)
