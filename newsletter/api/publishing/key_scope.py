"""The publications and issues that a key may reach: those of its lists."""

from django.db.models import QuerySet

from newsletter.common.errors import NotFound
from newsletter.issues.assembly.lookup import find_issue, find_publication
from newsletter.models import ApiKey, Issue, Publication


def list_visible_publications(key: ApiKey) -> QuerySet[Publication]:
    publications = Publication.objects.all()
    return publications if key.all_lists else publications.filter(mailing_list__in=key.lists.all())


def find_visible_publication(key: ApiKey, slug: str) -> Publication:
    """Return the publication with this slug. Raise NotFound, also for one of a list that the key may not use."""
    if key.all_lists or list_visible_publications(key).filter(slug=slug).exists():
        return find_publication(slug)
    raise NotFound("This key reaches no publication “%(slug)s”.", slug=slug)


def find_visible_issue(key: ApiKey, name: str) -> Issue:
    """Return the issue with this id or name. Raise NotFound, also for one of a list that the key may not use."""
    if key.all_lists:
        return find_issue(name)
    refused = NotFound("This key reaches no issue “%(name)s”.", name=name)
    try:
        issue = find_issue(name)
    except NotFound as error:
        raise refused from error  # its message would name the newest issue of all lists
    if not list_visible_publications(key).filter(pk=issue.publication_id).exists():
        raise refused
    return issue
