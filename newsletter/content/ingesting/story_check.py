"""Check that the sites of stories still show them, in limited time and in parallel by host. It stores nothing.

404, 410, 401, 403, a password form, and a redirect to a log-in or front page are facts. Anything else is "unknown". A fact
counts only if the same site still shows another page: a site in trouble, or one that refuses programs, gives the same
answer for all its pages.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import orjson

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, TooLarge
from newsletter.content.fetching.fetcher import Fetched, Fetcher, Limits
from newsletter.content.ingesting.wordpress_listing import get_known_collection
from newsletter.content.parsing.alternates import Alternates, read_page_links
from newsletter.content.parsing.entry_rules import has_password_form

SHOWN, REMOVED, PRIVATE, PROTECTED, UNKNOWN = "shown", "removed", "private", "protected", "unknown"
DOUBTFUL = "doubtful"
"""The site says that the story is removed, and says the same of its other pages."""
PAGE_LIMITS = Limits(max_bytes=2 * 1024 * 1024, connect=2.0, first_byte=4.0, total=5.0)
_SECONDS = 8.0
_MAX_HOSTS = 8
_MAX_IDS = 100
_MAX_OTHERS = 3
_BY_STATUS = {401: PRIVATE, 403: PRIVATE, 404: REMOVED, 410: REMOVED}
_CLOSED = frozenset({401, 403})
_LOGIN = re.compile(
    r"(?:^|/)(?:wp-login\.php|log-?in|sign-?in|anmelden|connexion|iniciar-sesion|user/login|accounts?/login|sso)(?:/|$)",
    re.IGNORECASE,
)
_NO_SUCH_POST = frozenset({"rest_post_invalid_id", "rest_forbidden", "rest_cannot_read"})


@dataclass(frozen=True)
class VisibilityQuestion:
    """One story to ask about. ``identity`` is its number at the WordPress site ``site``; both are "" for any other story.

    ``others`` are addresses of other stories that its source still lists.
    """

    key: int
    url: str
    etag: str = ""
    last_modified: str = ""
    site: str = ""
    identity: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class VisibilityAnswer:
    """The site's answer for one story. ``reason`` says for staff why it is gone, or why nothing is known.

    ``translations`` are the pages in other languages that its page names, if the page was read.
    """

    key: int
    code: str
    reason: str = ""
    etag: str = ""
    last_modified: str = ""
    translations: Alternates = ()


def check_stories(
    questions: Iterable[VisibilityQuestion], *, fetcher: Fetcher, seconds: float = _SECONDS
) -> dict[int, VisibilityAnswer]:
    """Return an answer for each question by its key, within ``seconds``. It raises nothing."""
    listed = list(questions)
    deadline = time.monotonic() + seconds
    by_host: dict[str, list[VisibilityQuestion]] = defaultdict(list)
    for question in listed:
        by_host[_host(question.url)].append(question)
    answers: dict[int, VisibilityAnswer] = {}
    # Threads only fetch and touch no database. One that overruns ends by its own limit.
    pool = ThreadPoolExecutor(max_workers=_MAX_HOSTS, thread_name_prefix="story-check")
    try:
        running = [pool.submit(_check_host, group, fetcher, deadline, answers) for group in by_host.values()]
        wait(running, timeout=max(deadline - time.monotonic(), 0.0))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    late = Message("its site took too long to answer")
    return {
        question.key: answers.get(question.key) or VisibilityAnswer(question.key, UNKNOWN, late) for question in listed
    }


def _check_host(
    questions: Sequence[VisibilityQuestion], fetcher: Fetcher, deadline: float, answers: dict[int, VisibilityAnswer]
) -> None:
    """Ask one host about its stories, one request at a time, until the deadline."""
    left = list(questions)
    for site in {question.site for question in questions if question.site}:
        for answer in _ask_rest(site, [question for question in left if question.site == site], fetcher, deadline):
            answers[answer.key] = answer
    asked_site = _SiteCheck(left, fetcher, deadline)
    unreliable: dict[int, VisibilityAnswer] = {}
    for question in left:
        if question.key in answers or time.monotonic() >= deadline:
            continue
        answer = _ask_page(question, fetcher, deadline)
        if answer.code == SHOWN:
            asked_site.shown.append(question.url)
            # The site works, so its earlier answers are true.
            answers.update(unreliable)
            unreliable.clear()
        if answer.code in (REMOVED, PRIVATE) and not asked_site.shows_others(but=answer):
            if answer.code == REMOVED:
                unreliable[question.key] = answer
            answer = _mark_unreliable(answer, _host(question.url))
        answers[question.key] = answer


class _SiteCheck:
    """One site. It knows if the site shows any page at all. ``shown`` are the stories that it showed in this check."""

    def __init__(self, questions: Sequence[VisibilityQuestion], fetcher: Fetcher, deadline: float) -> None:
        self.shown: list[str] = []
        self._fetcher = fetcher
        self._deadline = deadline
        urls = {question.url for question in questions}
        others = (
            url
            for question in questions
            for url in question.others
            if url not in urls and _host(url) == _host(question.url)
        )
        self._others = list(dict.fromkeys(others))[:_MAX_OTHERS]
        self._front_page_url = _front_page_url(questions[0].url) if questions else ""
        self._works: bool | None = None

    def shows_others(self, *, but: VisibilityAnswer) -> bool:
        """Return True if the site shows another story, or its front page if no other story is known.

        A story shown before a refusal proves nothing: some sites refuse programs after a number of requests.
        """
        if but.code == REMOVED and (self.shown or self._works is not None):
            return bool(self.shown or self._works)
        if self._works is not False:
            urls = [*self.shown[-1:], *self._others] or [self._front_page_url]
            pages = (_ask_page(VisibilityQuestion(0, url), self._fetcher, self._deadline) for url in urls[:_MAX_OTHERS])
            self._works = any(page.code == SHOWN for page in pages)
        return self._works


def _mark_unreliable(answer: VisibilityAnswer, host: str) -> VisibilityAnswer:
    if answer.code == PRIVATE:
        return VisibilityAnswer(
            answer.key,
            UNKNOWN,
            Message("%(host)s shows us none of its pages: %(reason)s", host=host, reason=answer.reason),
        )
    reason = Message("%(reason)s, and %(host)s does not show its other pages either", reason=answer.reason, host=host)
    return VisibilityAnswer(answer.key, DOUBTFUL, reason)


def _ask_rest(
    site: str, questions: Sequence[VisibilityQuestion], fetcher: Fetcher, deadline: float
) -> Iterable[VisibilityAnswer]:
    """Yield the certain answers of the REST interface. The pages are asked about the others."""
    collection = get_known_collection(site)
    numbered = {
        question.identity: question
        for question in questions
        if question.identity.isascii() and question.identity.isdigit()
    }
    for start in range(0, len(numbered), _MAX_IDS):
        ids = list(numbered)[start : start + _MAX_IDS]
        listed = _list_posts(_fetch_json(collection.posts_by_id_url(ids), fetcher, deadline))
        if listed is None:
            return
        for identity in ids:
            answer = _judge_post(listed.get(identity), numbered[identity])
            if answer is None and time.monotonic() < deadline:
                answer = _ask_post(collection.item_url(identity), numbered[identity], fetcher, deadline)
            if answer is not None:
                yield answer


def _ask_post(url: str, question: VisibilityQuestion, fetcher: Fetcher, deadline: float) -> VisibilityAnswer | None:
    """Ask for one post that was not in the list. Return None if the answer says nothing about it."""
    found = _fetch_json(url, fetcher, deadline)
    if isinstance(found, dict) and found.get("code") in _NO_SUCH_POST:
        status = (found.get("data") or {}).get("status") if isinstance(found.get("data"), dict) else None
        code = PRIVATE if status in _CLOSED else REMOVED
        return VisibilityAnswer(
            question.key, code, Message("its WordPress site no longer lists it (status %(status)s)", status=status)
        )
    return _judge_post(found, question) if isinstance(found, dict) and "id" in found else None


def _judge_post(post: object, question: VisibilityQuestion) -> VisibilityAnswer | None:
    if not isinstance(post, dict):
        return None
    content = post.get("content")
    if isinstance(content, dict) and content.get("protected"):
        return VisibilityAnswer(question.key, PROTECTED, Message("its site asks for a password"))
    if post.get("status") not in (None, "publish"):
        return VisibilityAnswer(question.key, PRIVATE, Message("its site no longer has it published"))
    return VisibilityAnswer(question.key, SHOWN)


def _list_posts(data: object) -> dict[str, object] | None:
    """Return the posts of an answer by their number, or None if it is no list of posts."""
    if not isinstance(data, list):
        return None
    return {str(post["id"]): post for post in data if isinstance(post, dict) and "id" in post}


def _fetch_json(url: str, fetcher: Fetcher, deadline: float) -> object:
    """Return the JSON at an address, also that of an error status, or None."""
    try:
        body = fetcher.fetch(url, limits=_limits_until(deadline)).body
    except BadStatus as error:
        body = error.body
    except FetchError:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _ask_page(question: VisibilityQuestion, fetcher: Fetcher, deadline: float) -> VisibilityAnswer:
    try:
        fetched = fetcher.fetch(
            question.url, etag=question.etag, last_modified=question.last_modified, limits=_limits_until(deadline)
        )
    except BadStatus as error:
        code = UNKNOWN if error.challenged else _BY_STATUS.get(error.status, UNKNOWN)
        return VisibilityAnswer(
            question.key, code, Message("its page answers with status %(status)s", status=error.status)
        )
    except TooLarge:
        return VisibilityAnswer(question.key, SHOWN)
    except FetchError as error:
        return VisibilityAnswer(question.key, UNKNOWN, error.message)
    return _judge_page(question, fetched)


def _judge_page(question: VisibilityQuestion, fetched: Fetched) -> VisibilityAnswer:
    if fetched.not_modified:
        return VisibilityAnswer(question.key, SHOWN, etag=question.etag, last_modified=question.last_modified)
    page = fetched.body.decode("utf-8", "replace")
    if has_password_form(page):
        return VisibilityAnswer(question.key, PROTECTED, Message("its page asks for a password"))
    asked_address, there = urlsplit(question.url), urlsplit(fetched.url)
    if there.path != asked_address.path:
        if _LOGIN.search(there.path):
            return VisibilityAnswer(question.key, PRIVATE, Message("its address leads to a log-in page"))
        if not there.path.strip("/") and not there.query:
            return VisibilityAnswer(question.key, REMOVED, Message("its address leads to the front page of its site"))
    return VisibilityAnswer(
        question.key,
        SHOWN,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        translations=read_page_links(page, base_url=fetched.url),
    )


def _front_page_url(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _limits_until(deadline: float) -> Limits:
    return replace(PAGE_LIMITS, total=max(min(PAGE_LIMITS.total, deadline - time.monotonic()), 0.1))


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
