"""The kinds of sources that list their entries page by page through an interface."""

from typing import ClassVar

from newsletter.common.messages import Message
from newsletter.content.ingesting.apis.read_api import read_api
from newsletter.content.parsing.apis.kinds import API_KINDS, ApiKind
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.source_kind import Reading, SourceKind, SourceRequest


class ApiSource(SourceKind):
    """``api`` says how the interface is requested and read."""

    api: ClassVar[ApiKind]

    def read(self, request: SourceRequest) -> Reading:
        found = read_api(
            self.api, request.url, key=request.key, fetcher=request.fetcher, parse=request.parse, now=request.now
        )
        return Reading(parsed=found.parsed, retry_after=found.retry_after)

    def parse(self, document: Document) -> Parsed:
        return self.api.parse(document.body, url=document.url, now=document.now)


class Ghost(ApiSource):
    interface = 1
    label = Message("Ghost site")
    gives = "stories"
    key = "needed"
    lists_all = True
    api = API_KINDS["ghost"]


class Drupal(ApiSource):
    interface = 1
    label = Message("Drupal site")
    gives = "stories"
    lists_all = True
    api = API_KINDS["drupal"]


class Eventbrite(ApiSource):
    interface = 1
    label = Message("Events at Eventbrite")
    gives = "events"
    key = "needed"
    api = API_KINDS["eventbrite"]


class Mobilize(ApiSource):
    interface = 1
    label = Message("Events at Mobilize")
    gives = "events"
    key = "optional"
    api = API_KINDS["mobilize"]


class ActionNetwork(ApiSource):
    interface = 1
    label = Message("Events at Action Network")
    gives = "events"
    key = "needed"
    api = API_KINDS["action_network"]
