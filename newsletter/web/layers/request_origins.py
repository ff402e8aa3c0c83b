"""Record for each request if its changes are made in the desk. The API names its key itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from subscribers.outbound_events import DESK, acting_through

_DESK_PATH = "/admin/"


class RequestOriginMiddleware:
    """Everything outside the desk and the API is done by the readers themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_through(DESK if request.path_info.startswith(_DESK_PATH) else ""):
            return self.get_response(request)
