"""Sign requests for Amazon (Signature Version 4) with botocore, from the given key and nothing else."""

import sys
from collections.abc import Callable
from dataclasses import replace

from newsletter.providers.base.contract import HttpCaller, HttpRequest, ProviderResponse
from newsletter.providers.base.errors import BadProviderUrl

Sign = Callable[[HttpRequest], HttpRequest]


def make_signer(*, key: str, secret: str, region: str, service: str = "ses") -> Sign:
    """Return a function that signs requests for an Amazon service. Raise BadProviderUrl if botocore is not installed."""
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ModuleNotFoundError as error:
        raise BadProviderUrl(
            "%(setting)s names ses://, which needs one more package. Run: %(python)s -m pip install 'newsletter[ses]'",
            python=sys.executable,
        ) from error
    auth = SigV4Auth(Credentials(key, secret), service, region)

    def sign(request: HttpRequest) -> HttpRequest:
        signed = AWSRequest(request.method, request.url, headers=dict(request.headers), data=request.body)
        auth.add_auth(signed)
        return replace(request, headers=dict(signed.headers.items()))

    return sign


class SigningTransport:
    """A transport that signs each request just before it goes."""

    def __init__(self, transport: HttpCaller, *, sign: Sign) -> None:
        self._transport = transport
        self._sign = sign

    def call(self, request: HttpRequest) -> ProviderResponse:
        """Send the request as ``Transport.call`` does."""
        return self._transport.call(self._sign(request))

    def close(self) -> None:
        self._transport.close()
