"""A parcel without the bodies of its mails, so that the ledger of a send to hundreds of thousands stays small.

Who it was for and our ids are kept; `mail_for` gives mails without words.
"""

from dataclasses import replace

from tests.support.provider_json import ResendBatch
from tests.support.provider_mailgun import Form, SendRequest

_OUR_ID = "did"


def drop_bodies(parcel: SendRequest) -> SendRequest:
    """The same parcel without bodies, where it is of a kind that long runs use; otherwise the parcel itself."""
    if isinstance(parcel, Form):
        table = {address: {_OUR_ID: values.get(_OUR_ID, "")} for address, values in parcel.recipient_variables.items()}
        slim = Form({name: values for name, values in parcel.fields.items() if name not in _BULKY})
        slim.__dict__["recipient_variables"] = table
        return slim
    if isinstance(parcel, ResendBatch):
        rows = [{**row, "html": "", "text": "", "headers": {}} for row in parcel.rows]
        return replace(parcel, rows=rows, content=b"")
    return parcel


_BULKY = frozenset({"html", "text", "recipient-variables"})
