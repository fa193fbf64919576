"""Mission control under `/control`: which page is behind which door."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from console.control_bulk import BulkPage
from console.control_channels import ChannelsPage
from console.control_customer import CustomerPage
from console.control_deliveries import DeliveriesPage
from console.control_door import for_control
from console.control_house import HousePage
from console.control_journey import JourneyPage
from console.control_keys import KeysPage
from console.control_live import LiveFigures
from console.control_messages import MessagesPage
from console.control_offers import OffersPage
from console.control_overview import OverviewPage
from console.control_promises import PromisesPage
from console.control_saved import SavedPage
from console.control_search import SearchPage
from console.control_source import SourcePage
from console.control_stops import StopsPage
from console.control_surveys import SurveysPage
from console.inbox_door import CONTROL, HEADERS, InboxDoor
from console.settings_page import CHANNELS_PAGE, KEYS, LIMITS, QUEUES
from insight.graph_style import STYLE

_STATIC = Path(__file__).parent / "static"
FILES = {
    "control.css": "text/css",
    "control-search.css": "text/css",
    "control-told.css": "text/css",
    "control-asked.css": "text/css",
    "control-settings.css": "text/css",
    "control.js": "text/javascript",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Control:
    """All pages of mission control."""

    door: InboxDoor
    overview: OverviewPage
    journey: JourneyPage
    customer: CustomerPage
    stops: StopsPage
    source: SourcePage
    search: SearchPage
    saved: SavedPage
    bulk: BulkPage
    deliveries: DeliveriesPage
    messages: MessagesPage
    surveys: SurveysPage
    promises: PromisesPage
    offers: OffersPage
    channels: ChannelsPage
    keys: KeysPage
    house: HousePage
    live: LiveFigures


def control_router(control: Control) -> APIRouter:
    """The routes."""
    router, door = APIRouter(tags=["control"], include_in_schema=False), control.door
    router.add_route(f"{CONTROL}/static/{{file}}", _file, methods=["GET"])
    router.add_route(CONTROL, for_control(door, control.overview.show), methods=["GET"])
    router.add_route(f"{CONTROL}/events", for_control(door, control.live.events), methods=["GET"])
    router.add_route(
        f"{CONTROL}/journey/{{journey}}", for_control(door, control.journey.show), methods=["GET"]
    )
    router.add_route(
        f"{CONTROL}/journey/{{journey}}/people",
        for_control(door, control.journey.who),
        methods=["GET"],
    )
    router.add_route(
        f"{CONTROL}/customer", for_control(door, control.customer.find), methods=["GET", "POST"]
    )
    router.add_route(
        f"{CONTROL}/customer/{{customer}}",
        for_control(door, control.customer.show),
        methods=["GET"],
    )
    source = f"{CONTROL}/journey/{{journey}}/source"
    router.add_route(source, for_control(door, control.source.show), methods=["GET"])
    router.add_route(source, for_control(door, control.source.try_), methods=["POST"])
    bulk = f"{CONTROL}/journey/{{journey}}/bulk"
    router.add_route(bulk, for_control(door, control.bulk.show), methods=["GET"])
    router.add_route(bulk, for_control(door, control.bulk.order), methods=["POST"])
    router.add_route(f"{bulk}/{{act}}", for_control(door, control.bulk.progress), methods=["GET"])
    router.add_route(f"{bulk}/{{act}}/halt", for_control(door, control.bulk.halt), methods=["POST"])
    router.add_route(f"{CONTROL}/stops", for_control(door, control.stops.show), methods=["GET"])
    router.add_route(f"{CONTROL}/stops", for_control(door, control.stops.begin), methods=["POST"])
    router.add_route(
        f"{CONTROL}/stops/lift", for_control(door, control.stops.lift), methods=["POST"]
    )
    _search(router, control)
    _told(router, control)
    _asked(router, control)
    _settings(router, control)
    return router


def _search(router: APIRouter, control: Control) -> None:
    door, at = control.door, f"{CONTROL}/search"
    router.add_route(at, for_control(door, control.search.show), methods=["GET"])
    router.add_route(at, for_control(door, control.search.seek), methods=["POST"])
    router.add_route(f"{at}/file", for_control(door, control.search.export), methods=["POST"])
    router.add_route(f"{at}/saved", for_control(door, control.saved.keep), methods=["POST"])
    router.add_route(
        f"{at}/saved/{{search}}/end", for_control(door, control.saved.end), methods=["POST"]
    )
    router.add_route(
        f"{at}/files/{{file}}", for_control(door, control.saved.download), methods=["POST"]
    )


def _told(router: APIRouter, control: Control) -> None:
    door, told, messages = control.door, control.deliveries, control.messages
    router.add_route(f"{CONTROL}/deliveries", for_control(door, told.show), methods=["GET"])
    router.add_route(f"{CONTROL}/deliveries/list", for_control(door, told.listed), methods=["GET"])
    router.add_route(f"{CONTROL}/messages", for_control(door, messages.several), methods=["GET"])
    one = f"{CONTROL}/message/{{name}}"
    router.add_route(one, for_control(door, messages.show), methods=["GET"])
    router.add_route(one, for_control(door, messages.ask), methods=["POST"])
    router.add_route(f"{one}/mail", for_control(door, messages.mail), methods=["GET"])


def _asked(router: APIRouter, control: Control) -> None:
    """What customers answered, what they were promised, what they were given."""
    door, surveys = control.door, control.surveys
    router.add_route(f"{CONTROL}/surveys", for_control(door, surveys.several), methods=["GET"])
    router.add_route(f"{CONTROL}/survey/{{name}}", for_control(door, surveys.show), methods=["GET"])
    router.add_route(
        f"{CONTROL}/promises", for_control(door, control.promises.show), methods=["GET"]
    )
    router.add_route(f"{CONTROL}/offers", for_control(door, control.offers.show), methods=["GET"])


def _settings(router: APIRouter, control: Control) -> None:
    door = control.door
    channels = control.channels
    router.add_route(CHANNELS_PAGE, for_control(door, channels.show), methods=["GET"])
    router.add_route(CHANNELS_PAGE, for_control(door, channels.ask), methods=["POST"])
    router.add_route(KEYS, for_control(door, control.keys.show), methods=["GET"])
    router.add_route(KEYS, for_control(door, control.keys.create), methods=["POST"])
    router.add_route(f"{KEYS}/revoke", for_control(door, control.keys.revoke), methods=["POST"])
    router.add_route(QUEUES, for_control(door, control.house.queues), methods=["GET"])
    router.add_route(LIMITS, for_control(door, control.house.limits), methods=["GET"])


async def _file(request: Request) -> Response:
    name, headers = request.path_params["file"], {**HEADERS, "Cache-Control": "no-cache"}
    if name == "map.css":
        return Response(STYLE, media_type="text/css", headers=headers)
    if name not in FILES:
        raise HTTPException(404)
    return FileResponse(_STATIC / name, media_type=FILES[name], headers=headers)
