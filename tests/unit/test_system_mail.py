"""System mails look like the organisation's own and load nothing."""

from newsletter.models import Brand
from newsletter.sending.notices.system_mail import make_notice_brand


def test_a_notice_uses_the_brand_without_its_pictures() -> None:
    brand = Brand(
        name="Harbour", masthead="band", radius=16, heading_font="Georgia, serif", social={"x": "https://x.example/"}
    )
    look = make_notice_brand(brand)
    assert (look.masthead, look.radius, look.heading_font) == ("band", 16, "Georgia, serif")
    assert (look.logo, look.logo_dark, look.social, look.icons_url) == (None, None, (), "")
