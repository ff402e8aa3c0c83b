"""On a phone the cells of a row are lines below each other, without the headings of the columns. Each line names its own."""

from datetime import timedelta

import lxml.html
import pytest
from django.utils import timezone

from subscribers.models import Subscriber
from tests.support.desk import sign_in
from tests.support.desk_pages import make_desk_rows  # noqa: F401  a fixture
from tests.support.people import make_person, subscribe

pytestmark = pytest.mark.django_db
PAGES = ("/admin/people/{person}/", "/admin/people/held/", "/admin/limits/", "/admin/people/expiring/")


@pytest.mark.parametrize("page", PAGES)
def test_each_line_of_a_row_on_a_phone_says_what_it_is(page: str, desk: dict[str, str]) -> None:
    person = Subscriber.objects.get(pk=desk["admin/people"])
    weekly = person.subscriptions.get().mailing_list
    subscribe(
        make_person("bea@example.org"), weekly, basis="casl_implied", expires_at=timezone.now() + timedelta(days=30)
    )
    html = sign_in("admin").get(page.format(person=person.pk)).content.decode()
    rows = lxml.html.fromstring(html).xpath("//table[contains(@class, 'nl-stack')]/tbody/tr[td[2]]")
    cells = [cell for row in rows for cell in row.xpath("td[position() > 1][not(.//button)]")]
    assert cells
    assert [cell.text_content() for cell in cells if not cell.get("data-label")] == []
