"""multipart/form-data as deterministic bytes: the boundary comes from the batch's key, never from chance."""

import hashlib
from collections.abc import Sequence

_MAX_BOUNDARY_ATTEMPTS = 16


def build_multipart(fields: Sequence[tuple[str, bytes]], *, key: str) -> tuple[bytes, str]:
    """Give (body, content type) of the fields in their order. Names must be plain ASCII, values may be any bytes."""
    content = b"".join(value for _, value in fields)
    boundary = _boundary(key, content)
    mark = f"--{boundary}"
    heads = {
        name: f'{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode("ascii")
        for name in dict(fields)
    }
    pieces = [heads[name] + value for name, value in fields]
    return b"\r\n".join([*pieces, f"{mark}--\r\n".encode("ascii")]), f"multipart/form-data; boundary={boundary}"


def _boundary(key: str, content: bytes) -> str:
    for attempt in range(_MAX_BOUNDARY_ATTEMPTS):
        boundary = "batch-" + hashlib.sha256(f"{key}#{attempt}".encode()).hexdigest()[:40]
        if boundary.encode("ascii") not in content:
            return boundary
    raise ValueError("no boundary could be found that the content does not hold")
