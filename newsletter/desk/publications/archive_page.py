"""The question before a publication is archived: what stops, and what its subscribers get from then on."""

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.desk.welcome.mail_rows import count_people_in
from newsletter.issues.approval.publication_switches import archive_publication, require_no_running_send
from newsletter.issues.assembly.digest import count_without_digest
from newsletter.models import Publication
from newsletter.models.special_issues.welcome import MAX_LATE
from subscribers.desk.editing.archiving import ArchivePage
from subscribers.models import Subscription


class ArchivePublication(ArchivePage):
    archive = staticmethod(archive_publication)
    require_allowed = staticmethod(require_no_running_send)
    consequences = (
        gettext_lazy("It drafts and sends nothing. Drafts and approved issues that have not been sent stay unsent."),
        gettext_lazy("It is no longer listed with the others."),
        gettext_lazy("Issues that were sent keep their reports, and readers can still open them."),
        gettext_lazy("You can bring it back at any time."),
    )
    after_return = gettext_lazy("It is turned off. Turn on “In use” when it should draft and send issues again.")

    def list_consequences(self) -> list[str | Promise]:
        first, *further = super().list_consequences()
        return [first, *describe_subscribers(self.row), *describe_welcomed(self.row), *further]


def describe_subscribers(publication: Publication) -> list[str]:
    """Return sentences: what the subscribers of a publication get after it is archived."""
    on_list = Subscription.objects.filter(mailing_list=publication.mailing_list_id).mailable().count()
    if not on_list:
        return []
    people, name = intcomma(on_list), str(publication.mailing_list)
    in_use = Publication.objects.filter(mailing_list=publication.mailing_list_id, enabled=True)
    names = ", ".join(map(_name_with_segment, in_use.exclude(pk=publication.pk).select_related("segment")))
    if names:
        sentences = [
            ngettext(
                "%(people)s person stays on “%(list)s”. Other publications in use go to this list: %(names)s.",
                "%(people)s people stay on “%(list)s”. Other publications in use go to this list: %(names)s.",
                on_list,
            )
            % {"people": people, "list": name, "names": names}
        ]
    else:
        sentences = [
            ngettext(
                "%(people)s person stays on “%(list)s”. No other publication in use goes to this list, so they get no "
                "newsletter of it. Nobody tells them.",
                "%(people)s people stay on “%(list)s”. No other publication in use goes to this list, so they get no "
                "newsletter of it. Nobody tells them.",
                on_list,
            )
            % {"people": people, "list": name}
        ]
        if publication.mailing_list.public:
            sentences.append(_("People can still sign up for this list. If they should not, archive the list too."))
    monthly = 0
    if publication.enabled and publication.monthly_digest:
        monthly = count_without_digest(publication.mailing_list_id, without=publication)
    return [*sentences, *([describe_without_digest(monthly)] if monthly and names else [])]


def _name_with_segment(publication: Publication) -> str:
    if publication.segment is None:
        return str(publication)
    return _("%(publication)s (only to “%(segment)s”)") % {"publication": publication, "segment": publication.segment}


def describe_welcomed(publication: Publication) -> list[str]:
    """Return sentences: how many people are in the welcome of a publication, and what they get after it is archived."""
    people = count_people_in(publication)
    if not people:
        return []
    text = ngettext(
        "%(people)s person is in its welcome. They get no further mail of it while it is archived. A mail that is more than "
        "%(days)s days late for somebody is not sent to them.",
        "%(people)s people are in its welcome. They get no further mail of it while it is archived. A mail that is more than "
        "%(days)s days late for somebody is not sent to them.",
        people,
    )
    return [text % {"people": intcomma(people), "days": MAX_LATE.days}]


def describe_without_digest(people: int) -> str:
    """Return that these people chose the monthly digest and get nothing while their list has none."""
    text = ngettext(
        "%(people)s person on this list chose one mail a month. They get no newsletter until the list has a monthly "
        "digest again, or until they choose something else on their preference page.",
        "%(people)s people on this list chose one mail a month. They get no newsletter until the list has a monthly "
        "digest again, or until they choose something else on their preference page.",
        people,
    )
    return text % {"people": intcomma(people)}
