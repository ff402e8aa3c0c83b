"""Amazon SNS, whose messages Amazon SES reports in."""

import re

from newsletter.providers.base.webhooks.sns import SnsService

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
AMAZON_SNS = SnsService("Amazon SNS", host=_HOST, certificate_host=_HOST)
