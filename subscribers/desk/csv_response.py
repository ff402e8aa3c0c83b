"""CSV downloads that are sent row by row."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

_BYTE_ORDER_MARK = "\ufeff"


class _LineEcho:
    """Return each written line to the CSV writer's caller, so that it can be sent at once."""

    def write(self, text: str) -> str:
        return text


def stream_csv(rows: Iterable[Iterable[object]], *, file_name: str, with_bom: bool = True) -> StreamingHttpResponse:
    """Return a download of these rows. `with_bom` puts a byte order mark first, by which Excel recognises UTF-8."""

    def lines() -> Iterator[str]:
        if with_bom:
            yield _BYTE_ORDER_MARK
        writer = csv.writer(_LineEcho(), lineterminator="\r\n")
        for row in rows:
            yield writer.writerow(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response
