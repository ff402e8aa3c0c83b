"""Store one message of five articles, so many subscribers, and a submission that is ready to be sent."""

import sys

import django

django.setup()

from django.contrib.sites.models import Site  # noqa: E402

from newsletter.models import Article, Message, Newsletter, Submission, Subscription  # noqa: E402

TEXT = "A sentence about what happened, and another that says what it means. " * 2

letter = Newsletter.objects.create(title="Bench", slug="bench", email="bench@news.example.org", sender="Bench")
letter.site.add(Site.objects.get_current())
message = Message.objects.create(title="Bench", slug="bench", newsletter=letter)
for number in range(5):
    Article.objects.create(post=message, title=f"Story number {number} of the bench", text=TEXT)
Subscription.objects.bulk_create(
    [
        Subscription(
            newsletter=letter,
            email_field=f"person{number}@example{number % 97}.org",
            name_field=f"Reader {number}",
            subscribed=True,
            activation_code=f"{number:040x}",
        )
        for number in range(1, int(sys.argv[1]) + 1)
    ],
    batch_size=1000,
)
submission = Submission.from_message(message)
submission.prepared = True
submission.save()
