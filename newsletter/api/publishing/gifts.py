"""API call of the donation system: gifts that came by a link of an issue."""

from decimal import Decimal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import BaseModel, Field

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller
from newsletter.api.calls.fields import StoredRequestModel
from newsletter.api.people.schemas import RowAnswer
from newsletter.common.translation import translate
from newsletter.feedback.gift_files import BadGift, make_gift
from newsletter.feedback.gifts import ReportedGift, record_gifts
from newsletter.models import ApiScope

router = Router(auth=ApiKeyAuth(ApiScope.GIFTS), tags=["gifts"])
MAX_GIFTS_PER_CALL = 1_000


class GiftReport(StoredRequestModel):
    """One gift, without anything about who gave it."""

    id: str = Field(description="Your own id of the gift. A gift counts once.", min_length=1, max_length=120)
    amount: Decimal = Field(description="Such as 12.50.")
    currency: str = Field(description="Its code, such as GBP.", max_length=3)
    date: str = Field(description="The day, such as 2026-03-31.", max_length=40)
    utm_campaign: str = Field(description="As the link had it.", max_length=200)
    utm_content: str = Field("", description="As the link had it.", max_length=60)


class GiftReports(StoredRequestModel):
    gifts: list[GiftReport] = Field(min_length=1, max_length=MAX_GIFTS_PER_CALL)


class GiftsAdded(BaseModel):
    """Numbers of gifts: new, known before, by no issue, and refused; ``rows`` says why."""

    new: int
    known: int
    foreign: int
    refused: int
    rows: list[RowAnswer]


@router.post("gifts", response=GiftsAdded, summary="Report gifts")
def add_gifts(request: HttpRequest, data: GiftReports) -> GiftsAdded:
    """Add up to 1,000 gifts to the reports of the issues whose links led to them. Calling it again adds nothing."""
    gifts: list[ReportedGift] = []
    rows: list[RowAnswer] = []
    for number, gift in enumerate(data.gifts):
        try:
            gifts.append(
                make_gift(
                    reference=gift.id,
                    amount=gift.amount,
                    currency=gift.currency,
                    given_on=gift.date,
                    campaign=gift.utm_campaign,
                    block=gift.utm_content,
                )
            )
        except BadGift as error:
            rows.append(RowAnswer.model_validate({"row": number, "result": "refused", "why": translate(error)}))
    result = record_gifts(gifts, by=label_caller(get_key(request)), now=timezone.now())
    return GiftsAdded(new=result.new, known=result.known, foreign=result.foreign, refused=len(rows), rows=rows)
