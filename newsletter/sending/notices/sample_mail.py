"""A variant as mail to nobody in particular: every default, and links that change nothing."""

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Variant
from newsletter.providers.base.contract import Mail, Person
from newsletter.rendering.values import values_for
from newsletter.sending.dispatching.build_call import make_mail, read_variables

SAMPLE_ADDRESS = "reader@example.org"


def sample_mail(variant: Variant, *, site_url: str) -> tuple[Mail, Person]:
    """The mail with its tokens, and a sample person to fill them with. Raises Broken where the bytes were changed."""
    links = {"unsubscribe": f"{site_url}/u/sample", "preferences": f"{site_url}/p/sample"}
    values = values_for(variables=read_variables(variant), fields=links)
    mail = make_mail(variant=variant, publication=IssueContent.from_json(variant.revision.content).publication)
    return mail, Person(delivery=0, address=SAMPLE_ADDRESS, variables=values)
