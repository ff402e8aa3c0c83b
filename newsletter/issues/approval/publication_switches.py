"""Whether an issue's publication, and its monthly digest, are switched on. Asked at every step and again in the claim."""

from django.db.models import Q
from django.utils.translation import gettext as _

from newsletter.common.errors import SwitchedOff
from newsletter.models import Issue, Publication


def is_switched_off(kind: str, *, publication: Publication) -> bool:
    """Whether issues of this kind may be neither assembled, approved nor sent."""
    return not publication.enabled or (kind == Issue.Kind.DIGEST and not publication.monthly_digest)


def make_switched_off_filter(prefix: str = "") -> Q:
    """The same as a condition on issues; ``prefix`` is the path to the issue, such as ``issue__``."""
    off = Q(**{f"{prefix}publication__enabled": False})
    no_digest = Q(**{f"{prefix}kind": Issue.Kind.DIGEST, f"{prefix}publication__monthly_digest": False})
    return off | no_digest


def require_publication_enabled(publication: Publication, *, kind: str = Issue.Kind.ISSUE) -> None:
    """Raises SwitchedOff. The rows are read again: the publication may have been switched off since it was loaded."""
    now = Publication.objects.only("name", "enabled", "monthly_digest").get(pk=publication.pk)
    if not now.enabled:
        raise SwitchedOff(
            _(
                "%(publication)s is switched off, so it assembles and sends nothing. Switch it on under Publications first."
            )
            % {"publication": now.name}
        )
    if is_switched_off(kind, publication=now):
        raise SwitchedOff(
            _(
                "The monthly digest of %(publication)s is switched off, so no digest goes out. "
                "Switch it on under Publications first."
            )
            % {"publication": now.name}
        )


def require_issue_enabled(issue: Issue) -> None:
    """Raises SwitchedOff if nothing of the issue's kind may go out."""
    require_publication_enabled(issue.publication, kind=issue.kind)
