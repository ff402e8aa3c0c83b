"""Calls of the newsletter's API. Each has a time limit, follows no redirect, and raises NewsletterError."""

from collections.abc import Iterator
from typing import TypeAlias

import requests

from newsletter_for_wagtail.problems import NewsletterError, describe_no_json, describe_refusal, describe_silence

Document: TypeAlias = dict[str, object]
CONNECT_SECONDS, READ_SECONDS = 5, 30
MAX_PAGES = 50


class Client:
    """The API of one newsletter with one key."""

    def __init__(self, *, address: str, key: str, read_seconds: float = READ_SECONDS) -> None:
        self.address = address
        self._key, self._seconds = key, (CONNECT_SECONDS, read_seconds)

    def get(self, path: str) -> Document:
        return self._call("GET", path)

    def find(self, path: str) -> Document | None:
        """Return what is at this path, or None if the newsletter does not have it any more."""
        try:
            return self.get(path)
        except NewsletterError as error:
            if error.code == "not_found":
                return None
            raise

    def list_items(self, path: str) -> Iterator[Document]:
        """Yield the items of all pages of a list."""
        cursor = ""
        for _ in range(MAX_PAGES):
            page = self.get(f"{path}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            items = page.get("items")
            yield from (one for one in items if isinstance(one, dict)) if isinstance(items, list) else ()
            cursor = str(page.get("next") or "")
            if not cursor:
                return

    def post(self, path: str, values: Document) -> Document:
        return self._call("POST", path, values)

    def put(self, path: str, values: Document) -> Document:
        return self._call("PUT", path, values)

    def patch(self, path: str, values: Document) -> Document:
        return self._call("PATCH", path, values)

    def _call(self, method: str, path: str, values: Document | None = None) -> Document:
        try:
            answer = requests.request(
                method,
                f"{self.address}/api/v1/{path}",
                json=values,
                headers={"Authorization": f"Bearer {self._key}", "Accept": "application/json"},
                timeout=self._seconds,
                allow_redirects=False,
            )
        except requests.ReadTimeout as error:
            raise describe_silence(timed_out=True) from error
        except requests.RequestException as error:
            raise describe_silence(timed_out=False) from error
        document = _read_json(answer)
        if not answer.ok or answer.is_redirect:
            raise describe_refusal(
                status=answer.status_code, document=document, retry_after=answer.headers.get("Retry-After", "")
            )
        if not isinstance(document, dict):
            raise describe_no_json()
        return document


def _read_json(answer: requests.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
