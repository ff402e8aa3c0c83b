"""Set up, people: import subscribers, share the sign-up page, invite staff."""

from django.contrib.auth.models import User

from newsletter.desk.setup.pages import StepPage
from newsletter.desk.setup.publication_step import describe_approval_rule
from newsletter.models import Publication
from subscribers.desk.embedded_form import join_url, render_embed_form
from subscribers.models import MailingList, Subscription


class PeopleStep(StepPage):
    step_slug = "people"
    template_name = "desk/setup/people.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        mailing_list = MailingList.objects.filter(public=True).first()
        publication = Publication.objects.filter(archived=False).first()
        needs_approval = publication is not None and publication.approval == Publication.ApprovalPolicy.APPROVE
        return {
            "mailing_list": mailing_list,
            "join_url": join_url(mailing_list) if mailing_list else "",
            "form_html": render_embed_form(mailing_list) if mailing_list else "",
            "subscribers": Subscription.objects.filter(ended_at__isnull=True).count(),
            "approval_rule": describe_approval_rule(publication) if publication and needs_approval else "",
            "staff": User.objects.filter(is_active=True).count(),
            **super().get_context_data(**kwargs),
        }
