"""Archive a publication: it drafts and sends nothing, and is listed apart."""

from newsletter.common.archiving import archive_row
from newsletter.common.errors import WrongState
from newsletter.models import Publication, Send


def archive_publication(publication: Publication) -> None:
    """Turn the publication off and archive it. Raises WrongState while one of its issues is being sent."""
    sends = Send.objects.filter(issue__publication=publication).exclude(
        state__in=[Send.State.SUBMITTED, Send.State.CANCELLED]
    )
    send = sends.select_related("issue__publication").first()
    if send is not None:
        raise WrongState(
            "%(issue)s is being sent, so its publication cannot be archived. Wait until it is sent, or cancel the send.",
            issue=send.issue,
        )
    archive_row(publication, switch="enabled")
