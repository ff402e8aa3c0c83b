"""Check that an issue's publication and its monthly digest are switched on. Every step asks, and each claim again."""

from django.db.models import Q

from newsletter.common.archiving import archive_row
from newsletter.common.errors import SwitchedOff, WrongState
from newsletter.models import Issue, Publication, Send


def is_switched_off(kind: str, *, publication: Publication) -> bool:
    """Return True if issues of this kind may not be assembled, approved or sent."""
    return not publication.enabled or (kind == Issue.Kind.DIGEST and not publication.monthly_digest)


def make_switched_off_filter(prefix: str = "") -> Q:
    """Return `is_switched_off` as a query condition. ``prefix`` is the path to the issue, such as ``issue__``."""
    off = Q(**{f"{prefix}publication__enabled": False})
    no_digest = Q(**{f"{prefix}kind": Issue.Kind.DIGEST, f"{prefix}publication__monthly_digest": False})
    return off | no_digest


def require_publication_enabled(publication: Publication, *, kind: str = Issue.Kind.ISSUE) -> None:
    """Raise SwitchedOff if needed. The row is read again, because the publication may have changed since it was loaded."""
    now = Publication.objects.only("name", "enabled", "monthly_digest").get(pk=publication.pk)
    if not now.enabled:
        raise SwitchedOff(
            "%(publication)s is switched off, so it assembles and sends nothing. Switch it on under Publications first.",
            publication=now.name,
        )
    if is_switched_off(kind, publication=now):
        raise SwitchedOff(
            "The monthly digest of %(publication)s is switched off, so no digest goes out. "
            "Switch it on under Publications first.",
            publication=now.name,
        )


def require_issue_enabled(issue: Issue) -> None:
    """Raise SwitchedOff if issues of this kind may not be sent."""
    require_publication_enabled(issue.publication, kind=issue.kind)


def archive_publication(publication: Publication) -> None:
    """Turn the publication off and archive it. Raises WrongState while one of its issues is being sent."""
    require_no_running_send(publication)
    archive_row(publication, switch="enabled")


def require_no_running_send(publication: Publication) -> None:
    """Raise WrongState while one of the publication's issues is being sent."""
    sends = Send.objects.filter(issue__publication=publication).exclude(
        state__in=[Send.State.SUBMITTED, Send.State.CANCELLED]
    )
    send = sends.select_related("issue__publication").first()
    if send is not None:
        raise WrongState(
            "%(issue)s is being sent, so its publication cannot be archived. Wait until its send ends, or stop it permanently.",
            issue=send.issue,
        )
