"""The address that mail providers call: /hooks/<provider>/<connection id>.

The id picks the connection, and with it the workspace; nothing in the request does. What is not set up does not exist,
what cannot prove where it comes from is refused with nothing said.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tellback.connections.mail.deliveries import (
    Delivery,
    Unreadable,
    is_genuine,
    read_deliveries,
    take_body,
)
from tellback.connections.mail.providers import PROVIDERS, Provider
from tellback.connections.mail.setup import open_secrets, read_setup
from tellback.connections.models import Integration
from tellback.connections.selectors import find_connection
from tellback.intake.accept import fingerprint
from tellback.intake.mail.replies import SOURCE_TYPE
from tellback.intake.mail.services import note_refused, note_trouble, note_works, take_mail
from tellback.intake.models import FeedbackSource, MailOutcome
from tellback.kernel.errors import TellbackError, TooMany, Unavailable
from tellback.kernel.ids import parse_id, to_public
from tellback.platform.tenancy import in_workspace

REFUSED = "A request was refused: its password or signature did not hold. Compare both sides, and save again."


@dataclass(frozen=True, slots=True)
class _Connection:
    provider: Provider
    source: FeedbackSource
    secrets: dict[str, str]
    path: str


def hook_address(*, provider: Provider, integration_id: UUID, secrets: dict[str, str]) -> str:
    """What a person gives to their provider: the address with everything in it that proves who calls."""
    path = hook_path(provider=provider.key, integration_id=integration_id) + provider.ending
    scheme, _, host = settings.BASE_URL.partition("://")
    who = f"{secrets['user']}:{secrets['password']}@" if provider.has_password else ""
    return f"{scheme}://{who}{host}{path}"


def hook_path(*, provider: str, integration_id: UUID) -> str:
    """Where a provider delivers for a connection."""
    return f"/hooks/{provider}/{to_public(Integration.id_prefix, integration_id)}"


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def hook(request: HttpRequest, provider: str, connection_id: str) -> HttpResponse:
    """Take a delivery in; 200 is said when everything in it is stored or counted."""
    connection = _find(provider, connection_id)
    if connection is None:
        return HttpResponse(status=404)
    if request.method == "HEAD":
        return HttpResponse()
    try:
        return _take(request, connection)
    except TellbackError as error:
        response = HttpResponse(error.detail, status=error.status, content_type="text/plain; charset=utf-8")
        if isinstance(error, (TooMany, Unavailable)):
            response.headers["Retry-After"] = str(error.retry_after)
        return response


def _find(provider: str, connection_id: str) -> _Connection | None:
    try:
        integration_id = parse_id(Integration.id_prefix, connection_id)
    except (TellbackError, ValueError):
        return None
    workspace_id = find_connection(integration_id)
    if workspace_id is None or provider not in PROVIDERS:
        return None
    with in_workspace(workspace_id):
        source = (
            FeedbackSource.objects.filter(integration_id=integration_id, source_type=SOURCE_TYPE, enabled=True)
            .select_related("integration")
            .first()
        )
        if source is None or source.integration is None or read_setup(source.integration).provider != provider:
            return None
        path = hook_path(provider=provider, integration_id=integration_id)
        return _Connection(PROVIDERS[provider], source, open_secrets(source.integration), path)


def _take(request: HttpRequest, connection: _Connection) -> HttpResponse:
    source, now = connection.source, timezone.now()
    take_body(request)
    view = connection.provider.make_view(connection.secrets, address=settings.BASE_URL + connection.path)
    if view is None or not is_genuine(view, request):
        with in_workspace(source.workspace_id):
            note_trouble(source=source, problem=REFUSED)
        return _refused(connection)
    try:
        deliveries = read_deliveries(connection.provider, view, request)
    except Unreadable:
        with in_workspace(source.workspace_id):
            note_refused(source=source, delivery=fingerprint(request.body), outcome=MailOutcome.UNREADABLE, now=now)
        return HttpResponse()
    except Unavailable as error:
        with in_workspace(source.workspace_id):
            note_trouble(source=source, problem=error.detail)
        raise
    _store(source, deliveries)
    return HttpResponse()


def _store(source: FeedbackSource, deliveries: list[Delivery]) -> None:
    """Each mail is a transaction of its own, so that a second delivery of the same finds what the first one stored."""
    for delivery in deliveries:
        with in_workspace(source.workspace_id):
            take_mail(source=source, mail=delivery.mail, delivery=delivery.digest, now=timezone.now())
    with in_workspace(source.workspace_id):
        note_works(source=source, now=timezone.now())


def _refused(connection: _Connection) -> HttpResponse:
    response = HttpResponse(status=401)
    if connection.provider.has_password:
        # Amazon sends a password only where it is asked for one.
        response.headers["WWW-Authenticate"] = 'Basic realm="mail"'
    return response
