"""Topics and Events of Scaleway, which posts in SNS's form what its mail service reports.

Source: scaleway.com/en/docs/topics-and-events/reference-content/verifying-webhooks, of 3 December 2025: the certificate that
signs changes at least once a year, and the authorities that issue it are at a fixed address.
"""

import re

from newsletter.providers.base.webhooks.sns import SnsService
from newsletter.providers.scaleway.adapter import REGION

ARN = re.compile(r"arn:scw:sns:[a-z0-9-]{1,20}:[A-Za-z0-9-]{1,80}:[A-Za-z0-9_-]{1,256}")
SCALEWAY_TOPICS = SnsService(
    "Scaleway",
    host=re.compile(rf"sns\.mnq\.{REGION}\.scaleway\.com"),
    certificate_host=re.compile(rf"messaging\.s3\.{REGION}\.scw\.cloud"),
    chain_url=f"https://messaging.s3.{REGION}.scw.cloud/{REGION}/sns/sns-trust-chain.pem",
)
