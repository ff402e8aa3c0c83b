"""A list's sign-up form as plain HTML, for staff to copy into any website. It needs no script and sets no cookie."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from wagtail.admin.panels import Panel

from newsletter.common.languages import best_page_language
from newsletter.common.translation import language_choices
from subscribers.consent_events import make_consent_wording
from subscribers.models import MailingList
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.people.relevant_choices import find_asked_topics, is_language_asked
from subscribers.web.form_fields import name_topics


def render_embed_form(mailing_list: MailingList) -> str:
    """Return HTML in the organisation's language. It posts to our sign-up page, where one more button keeps robots out."""
    with translation.override(best_page_language([get_publishing_hooks().branding().language]) or "en"):
        context = {
            "list": mailing_list,
            "action": join_url(mailing_list),
            "topics": name_topics(find_asked_topics([mailing_list]), chosen=()) if mailing_list.ask_topics else (),
            "languages": language_choices("")
            if mailing_list.ask_language and is_language_asked([mailing_list])
            else (),
            "wording": make_consent_wording(mailing_list),
        }
        return render_to_string("subscribers/embed.html", context).strip()


def join_url(mailing_list: MailingList) -> str:
    return f"{settings.SUBSCRIBERS_SITE_URL}/join/{mailing_list.slug}"


class EmbedPanel(Panel):
    """Show the form's HTML in the editor of a saved, public list."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "desk/panels/embed.html"

        def is_shown(self) -> bool:
            return super().is_shown() and self.instance.pk is not None and self.instance.public

        def get_context_data(self, parent_context: object = None) -> dict[str, object]:
            context: dict[str, object] = super().get_context_data(parent_context)
            return {**context, "url": join_url(self.instance), "form_html": render_embed_form(self.instance)}
