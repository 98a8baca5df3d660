"""The demo: a page of the sample's own website with the widget in it."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tellback.widget.pages.views import policy_with_widget
from tellback.widget.sample import find_site_key, list_visitors, sign_token
from tellback.workspaces.access import TenantRequest

#: A Tuesday at Tidemark: time, job, place, crew, state. Invented, as all of the sample is.
JOBS = (
    ("08:15", "Replace fuse board", "Harbour Street 12", "Ada, Lars", "done"),
    ("09:40", "Boiler check, third floor", "Old Mill Court", "Greta", "on site"),
    ("11:00", "Door sensor, van loading bay", "Marek Lifts depot", "Olga, Ivo", "on the way"),
    ("13:30", "Inverter does not start", "Brisa Solar, roof 4", "Inês", "planned"),
    ("15:10", "Hedge and two birches", "Verde Gardens", "Carla, Sam", "planned"),
    ("16:45", "Leak under the sink", "Canal View 7", "Ben", "planned"),
)


@require_safe
def site(request: TenantRequest) -> HttpResponse:
    """The invented company's schedule, with one of its customers signed in. 404 unless the sample is loaded."""
    key = find_site_key()
    if key is None:
        raise Http404
    visitors = list_visitors()
    chosen = next((one for one in visitors if one.key == request.GET.get("as")), None)
    if chosen is None and visitors and request.GET.get("as") != "nobody":
        chosen = visitors[0]
    token = sign_token(workspace=request.workspace, visitor=chosen, now=timezone.now()) if chosen else None
    context = {"key": key.public_key, "jobs": JOBS, "visitors": visitors, "chosen": chosen, "token": token or ""}
    response = render(request, "widget/demo.html", context)
    response.headers["Content-Security-Policy"] = policy_with_widget()
    response.headers["Cache-Control"] = "no-store"
    return response
