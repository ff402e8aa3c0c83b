"""The router of calls about people, in one place because several modules answer methods of the same path."""

from ninja import Router

from newsletter.api.calls.access import ApiKeyAuth
from newsletter.models import ApiScope

router = Router(tags=["people"])
READING, WRITING = ApiKeyAuth(ApiScope.PEOPLE_READ), ApiKeyAuth(ApiScope.PEOPLE_WRITE)
ERASING = ApiKeyAuth(ApiScope.PEOPLE_ERASE)
READING_AS_BEFORE = ApiKeyAuth(ApiScope.PEOPLE, ApiScope.PEOPLE_READ)
WRITING_AS_BEFORE = ApiKeyAuth(ApiScope.PEOPLE, ApiScope.PEOPLE_WRITE)
