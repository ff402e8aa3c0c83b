"""What an editor reads if the newsletter refuses a call or does not answer: what happened, what it means, what to do."""

from wagtail_newsletter.campaign_backends import CampaignBackendError

_NOTHING_CHANGED = "Nothing was changed there."
_BY_STATUS = {
    401: "The newsletter does not accept the key of this site. {nothing} Ask an administrator of the newsletter for a new key, "
    "and set it as WAGTAIL_NEWSLETTER_API_KEY.",
    403: "The key of this site may not do this. {nothing} {detail}",
    404: "The newsletter does not have this, or its key may not see it. {nothing} {detail}",
    409: "The newsletter cannot change the issue now. {nothing} {detail}",
    412: "Somebody changed the issue in the newsletter meanwhile. {nothing} Reload this page, and save again.",
    413: "The page is too long for one issue. {nothing} Shorten the text of its newsletter.",
    422: "The newsletter cannot use this text. {nothing} {detail}",
    429: "This site called the newsletter too often. {nothing} Wait {wait} seconds, and try again.",
    503: "The newsletter cannot reach its database. {nothing} Try again in a minute.",
}
_OTHER = (
    "The newsletter answered with an error ({status}). It may have changed something. Look at it before you try again."
)
_REDIRECT = (
    "The newsletter's address leads to another one. {nothing} Ask the administrator of this site to set "
    "WAGTAIL_NEWSLETTER_ADDRESS to the address after the redirect."
)
_NO_API = (
    "There is no newsletter at the address that is set. {nothing} Ask the administrator of this site to check "
    "WAGTAIL_NEWSLETTER_ADDRESS."
)


class NewsletterError(CampaignBackendError):  # type: ignore[misc]  # wagtail-newsletter has no types
    """A call that was refused or not answered. `status` is 0 without an answer; `code` is the newsletter's own."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def __str__(self) -> str:
        return str(self.message)


def describe_refusal(*, status: int, document: object, retry_after: str = "") -> NewsletterError:
    """Return the error for an answer that is no success. ``document`` is its JSON, or None."""
    problem = document if isinstance(document, dict) else {}
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    if 300 <= status < 400:
        text = _REDIRECT
    elif status == 404 and not code:
        text = _NO_API
    else:
        text = _BY_STATUS.get(status, _OTHER)
    message = text.format(nothing=_NOTHING_CHANGED, detail=detail, status=status, wait=retry_after or "60")
    return NewsletterError(" ".join(message.split()), status=status, code=code)


def describe_silence(*, timed_out: bool) -> NewsletterError:
    """Return the error for a call without an answer. After a time-out nobody knows whether the call was carried out."""
    if timed_out:
        return NewsletterError(
            "The newsletter did not answer in time. It may have saved the issue. Look at its issues before you try again."
        )
    return NewsletterError(
        f"The newsletter cannot be reached. {_NOTHING_CHANGED} Try again in a minute; if it goes on, tell its administrator."
    )


def describe_no_json() -> NewsletterError:
    return NewsletterError(_NO_API.format(nothing=_NOTHING_CHANGED))
