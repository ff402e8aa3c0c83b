"""What the benchmark asks of Ghost's Admin API, signed in as the owner of the site."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests

from benchmarks.tools.base import NotMeasured

OWNER = {"name": "Owner", "email": "owner@example.org", "password": "only-for-a-benchmark"}
TITLE = "An issue of the benchmark"
NEWSLETTER = "default-newsletter"
TEXT = "A sentence about what happened, and another that says what it means. " * 2
ENDED = "submitted", "failed"
_CALL_SECONDS = 600
_POLL = 0.25
T = TypeVar("T")


class GhostApi:
    """Calls of one signed-in owner. ``url`` is that of the site, without a slash at its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers.update({"Origin": url, "Accept-Version": "v5.0"})

    def is_up(self) -> bool:
        try:
            return self._session.get(f"{self.url}/ghost/api/admin/site/", timeout=5).ok
        except requests.RequestException:
            return False

    def create_owner(self) -> None:
        self._call("POST", "authentication/setup/", json={"setup": [{**OWNER, "blogTitle": "Bench"}]})

    def sign_in(self) -> None:
        self._call("POST", "session/", json={"username": OWNER["email"], "password": OWNER["password"]})

    def create_member(self, address: str) -> None:
        """Store a member, who gets the newsletter because a new site has only one."""
        self._call("POST", "members/", json={"members": [{"email": address, "name": "Reader 1"}]})

    def create_draft(self) -> None:
        """Store a post of five stories."""
        html = "".join(f"<h2>Story number {number} of the bench</h2><p>{TEXT}</p>" for number in range(5))
        self._call("POST", "posts/?source=html", json={"posts": [{"title": TITLE, "html": html, "status": "draft"}]})

    def read_post(self) -> dict[str, Any]:
        """Return the post of the benchmark, with its email if it has one."""
        posts = self._call("GET", "posts/?limit=all&include=email")["posts"]
        found: list[dict[str, Any]] = [post for post in posts if post["title"] == TITLE]
        if len(found) != 1:
            raise NotMeasured(f"ghost: the site has {len(found)} posts of the benchmark, and should have 1.")
        return found[0]

    def publish(self, post: dict[str, Any]) -> str:
        """Publish the post and mail it to all members, as the editor's button does. Return the id of its email."""
        path = f"posts/{post['id']}/?newsletter={NEWSLETTER}&email_segment=all&include=email"
        change = {"status": "published", "updated_at": post["updated_at"]}
        return str(self._call("PUT", path, json={"posts": [change]})["posts"][0]["email"]["id"])

    def read_email(self) -> str:
        """Return the id of the email of the post."""
        email = self.read_post().get("email")
        if not email:
            raise NotMeasured("ghost: the post was published without an email. The provider cannot have been called.")
        return str(email["id"])

    def retry(self, email: str) -> None:
        """Ask Ghost to go on with an email, as the editor's button “Retry” does."""
        self._call("PUT", f"emails/{email}/retry/")

    def read_status(self, email: str) -> str:
        return str(self._call("GET", f"emails/{email}/")["emails"][0]["status"])

    def count_recipients(self, email: str) -> dict[str, int]:
        """Return how many people the batches of an email have, by the status of the batch."""
        batches = self._call("GET", f"emails/{email}/batches/?limit=all&include=count.recipients")["batches"]
        counts: dict[str, int] = {}
        for batch in batches:
            counts[batch["status"]] = counts.get(batch["status"], 0) + int(batch["count"]["recipients"])
        return counts

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self.url}/ghost/api/admin/{path}", timeout=_CALL_SECONDS, **more)
        if not answer.ok:
            raise NotMeasured(f"ghost: {method} {path} was answered with {answer.status_code}: {answer.text[:2000]}")
        if "json" not in answer.headers.get("Content-Type", ""):
            return {}
        found: dict[str, Any] = answer.json()
        return found


def wait_for(read: Callable[[], T], is_done: Callable[[T], bool], *, seconds: float, poll: float = _POLL) -> T:
    """Read again and again until the value is what is waited for, or the time is over. Return the last value."""
    end = time.monotonic() + seconds
    while not is_done(value := read()) and time.monotonic() < end:
        time.sleep(poll)
    return value
