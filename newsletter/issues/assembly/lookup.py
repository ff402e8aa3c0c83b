"""Find issues and publications by the names that people type."""

from newsletter.common.errors import NotFound
from newsletter.common.messages import Message
from newsletter.models import Issue, Publication


def find_issue(name: str) -> Issue:
    """Find an issue by its id, ``SLUG/NUMBER`` or ``SLUG/latest``; a digest or correction by ``SLUG/digest-NUMBER``.

    Raises NotFound with the newest issue as a hint.
    """
    issues = Issue.objects.select_related(
        "publication__brand", "publication__mailing_list", "publication__segment", "slot"
    )
    slug, slash, rest = name.strip().rpartition("/")
    kind_name, dash, number = rest.rpartition("-")
    kind = kind_name if dash else Issue.Kind.ISSUE
    if not slash:
        issue = issues.filter(pk=int(rest)).first() if rest.isdecimal() else None
    elif number == "latest":
        issue = issues.filter(publication__slug=slug, kind=kind).order_by("-number").first()
    else:
        issue = (
            issues.filter(publication__slug=slug, kind=kind, number=int(number)).first() if number.isdecimal() else None
        )
    if issue is None:
        newest = issues.first()
        hint = (
            Message("The newest is %(reference)s.", reference=newest.reference)
            if newest
            else Message("There is none yet: run `newsletter assemble PUBLICATION`.")
        )
        raise NotFound(
            "There is no issue “%(name)s”. Name one by its id, SLUG/NUMBER or SLUG/latest. %(hint)s",
            name=name,
            hint=hint,
        )
    return issue


def find_publication(slug: str) -> Publication:
    """Find a publication by its slug. Raises NotFound with the known slugs as a hint."""
    publication = Publication.objects.select_related("brand", "mailing_list", "segment").filter(slug=slug).first()
    if publication is None:
        slugs = ", ".join(Publication.objects.values_list("slug", flat=True)) or Message(
            "none yet: run `newsletter apply FILE.toml`"
        )
        raise NotFound("There is no publication “%(slug)s”. There are: %(slugs)s.", slug=slug, slugs=slugs)
    return publication
