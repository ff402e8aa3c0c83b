"""A Wagtail site with wagtail-newsletter and our backend, for its own environment: `python wagtail_site.py FOLDER [PORT]`.

It reads steps as JSON, `[[name, {argument: value}], …]`, and prints their results as JSON. With a port it serves the site
instead. It imports nothing of the newsletter. `SITE_SETTINGS` in its environment is Python code that completes the settings.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

SETTINGS = {
    "SECRET_KEY": "a secret of the tests",
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": "wagtail_pages.urls",
    "INSTALLED_APPS": [
        *("wagtail_pages", "wagtail.users", "wagtail.images"),
        *(
            "wagtail.documents",
            "wagtail.snippets",
            "wagtail.search",
            "wagtail.admin",
            "wagtail",
            "modelcluster",
            "taggit",
        ),
        *("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"),
        *("django.contrib.messages", "django.contrib.staticfiles"),
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "STATIC_URL": "/static/",
    "TIME_ZONE": "UTC",
    "USE_TZ": True,
    "WAGTAIL_SITE_NAME": "Tests",
    "WAGTAILADMIN_BASE_URL": "https://www.example.org",
}
MODELS = """
from django.db import models
from wagtail.fields import RichTextField
from wagtail.admin.panels import FieldPanel
from wagtail_newsletter.models import NewsletterPageMixin

class ArticlePage(NewsletterPageMixin):
    body = RichTextField()
    content_panels = NewsletterPageMixin.content_panels + [FieldPanel("body")]
    newsletter_template = "article.html"
"""
TEMPLATE = """{% load wagtailcore_tags %}<html><head><style>p { color: red }</style></head>
<body>{{ page.body|richtext }}</body></html>"""
URLS = "from django.urls import include, path\nfrom wagtail.admin import urls\nurlpatterns = [path('admin/', include(urls))]\n"
PASSWORD = "a long password for tests"


def main() -> None:
    if len(sys.argv) > 2:
        serve(Path(sys.argv[1]), port=int(sys.argv[2]))
        return
    configure(Path(sys.argv[1]))
    results = [STEPS[name](**values) for name, values in json.load(sys.stdin)]
    print(json.dumps(results, default=str))  # noqa: T201


def configure(folder: Path, **more: object) -> None:
    """Write the site's own app, and start Django."""
    _write_site(folder)
    sys.path.insert(0, str(folder))
    import django
    from django.conf import settings

    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "site.sqlite3")}}
    written: dict[str, object] = {"os": os, "DATABASES": databases, **SETTINGS, **more}
    exec(os.environ["SITE_SETTINGS"], written)
    settings.configure(**{name: value for name, value in written.items() if name.isupper()})
    django.setup()


def serve(folder: Path, *, port: int) -> None:
    """Serve the site with its styles until the process is ended."""
    configure(folder, DEBUG=True)
    from django.core.management import call_command

    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)


def install() -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("makemigrations", "wagtail_pages", verbosity=0)
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("editor", "editor@example.org", PASSWORD)


def list_audiences() -> dict[str, object]:
    from wagtail_newsletter.audiences import Audience, AudienceSegment

    return {
        "audiences": [(one.id, one.name, one.member_count) for one in Audience.objects.all()],
        "segments": [(one.id, one.name, one.member_count) for one in AudienceSegment.objects.filter(audience="weekly")],
    }


def press(
    *,
    button: str,
    title: str = "A new bridge",
    body: str = "",
    page: int = 0,
    audience: str = "weekly",
    segment: str = "",
) -> dict[str, object]:
    """Write a page and press a button of its tab “Newsletter”, as its editor does."""
    from django.test import Client
    from django.test.utils import setup_test_environment, teardown_test_environment
    from django.urls import reverse
    from wagtail.models import Page
    from wagtail_newsletter.models import NewsletterRecipients
    from wagtail_pages.models import ArticlePage

    recipients = None
    if audience:
        name = f"{audience} {segment}"
        recipients = NewsletterRecipients.objects.get_or_create(name=name, audience=audience, segment=segment)[0]
    row = ArticlePage.objects.filter(pk=page).first()
    if row is None:
        row = ArticlePage(title=title, slug=f"article-{ArticlePage.objects.count()}", body=body)
        Page.objects.get(depth=2).add_child(instance=row)
    client = Client()
    client.login(username="editor", password=PASSWORD)
    paragraph = {"key": "a", "type": "unstyled", "text": body, "depth": 0, "inlineStyleRanges": [], "entityRanges": []}
    values = {
        "title": title,
        "slug": row.slug,
        "body": json.dumps({"blocks": [paragraph], "entityMap": {}}),
        "newsletter_recipients": recipients.pk if recipients else "",
        "newsletter_subject": title,
        "comments-TOTAL_FORMS": 0,
        "comments-INITIAL_FORMS": 0,
        "newsletter-action": button,
        "newsletter-test-email": "editor@example.org",
        "newsletter-schedule-schedule_time": "2099-01-01 09:00",
        "action-publish": "1",
    }
    edit = reverse("wagtailadmin_pages:edit", args=[row.pk])
    client.post(edit, values)
    setup_test_environment()  # it keeps the messages of a page
    try:
        shown = client.get(edit)
    finally:
        teardown_test_environment()
    row.refresh_from_db()
    return {
        "page": row.pk,
        "campaign": row.newsletter_campaign,
        "messages": " ".join(str(one) for one in shown.context["messages"]),
        "html": shown.content.decode(),
    }


def read_campaign(*, campaign: str) -> dict[str, object] | None:
    from wagtail_newsletter.campaign_backends import get_backend

    found = get_backend().get_campaign(campaign)
    return found and {
        "sent": found.is_sent,
        "scheduled": found.is_scheduled,
        "status": found.status,
        "url": found.url,
        "report": found.get_report(),
    }


def unschedule(*, campaign: str) -> str:
    return _catch(lambda backend: backend.unschedule_campaign(campaign))


def read_refusals(*, addresses: list[str]) -> list[str]:
    """Return what an editor reads if the newsletter is at each of these addresses."""
    from newsletter_for_wagtail.client import Client

    def call(address: str) -> Callable[[object], object]:
        return lambda _: Client(address=address, key="nl_key", read_seconds=1).post("issues", {})

    return [_catch(call(address)) for address in addresses]


def read_blocks(*, html: str) -> list[dict[str, object]]:
    from newsletter_for_wagtail.page_blocks import read_blocks as read

    return read(html, base="https://www.example.org/news/")


def render_sign_up(*, source: str) -> str:
    from django.template import engines

    return engines["django"].from_string(source).render({})


def _catch(call: Callable[[object], object]) -> str:
    from wagtail_newsletter.campaign_backends import CampaignBackendError, get_backend

    try:
        call(get_backend())
    except CampaignBackendError as error:
        return str(error.message)
    return ""


def _write_site(folder: Path) -> None:
    app = folder / "wagtail_pages"
    if app.exists():
        return
    (app / "migrations").mkdir(parents=True)
    (app / "templates").mkdir()
    for name, text in (("__init__", ""), ("migrations/__init__", ""), ("models", MODELS), ("urls", URLS)):
        (app / f"{name}.py").write_text(text)
    (app / "templates" / "article.html").write_text(TEMPLATE)


STEPS = {
    step.__name__: step
    for step in (install, list_audiences, press, read_campaign, unschedule, read_refusals, read_blocks, render_sign_up)
}

if __name__ == "__main__":
    main()
