"""Write multipart/form-data as deterministic bytes: the boundary comes from the batch's key, never from chance."""

import hashlib
from collections.abc import Sequence

_MAX_BOUNDARY_ATTEMPTS = 16


def build_multipart(fields: Sequence[tuple[str, bytes]], *, key: str) -> tuple[bytes, str]:
    """Return the body of the fields, in their order, and its content type. Names are ASCII, values any bytes."""
    content = b"".join(value for _, value in fields)
    boundary = _find_boundary(key, content)
    delimiter = f"--{boundary}"
    part_headers = {
        name: f'{delimiter}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode("ascii")
        for name in dict(fields)
    }
    pieces = [part_headers[name] + value for name, value in fields]
    return b"\r\n".join([*pieces, f"{delimiter}--\r\n".encode("ascii")]), f"multipart/form-data; boundary={boundary}"


def _find_boundary(key: str, content: bytes) -> str:
    for attempt in range(_MAX_BOUNDARY_ATTEMPTS):
        boundary = "batch-" + hashlib.sha256(f"{key}#{attempt}".encode()).hexdigest()[:40]
        if boundary.encode("ascii") not in content:
            return boundary
    raise ValueError("no boundary was found that is not in the content")
