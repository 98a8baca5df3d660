"""Around every operation of the API: pages of other sites may read the answer, and refusals are problems."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from tellback.api.app import problem_response
from tellback.api.errors import WrongMethod
from tellback.kernel.errors import NotFound

PREFIX = "/api/"
_METHODS = "GET, POST, PATCH, DELETE"
_TAKEN = "authorization, content-type, idempotency-key, if-match, x-api-key, x-widget-key, x-widget-session"
_SHOWN = "etag, location, retry-after, idempotency-replayed, ratelimit, ratelimit-policy"


class ApiFromPages:
    """Lets pages of other sites call the API (Fetch, section 3.2), as widget keys do; a key says from which sites.

    Cookies count for nothing in the API, so that a page can do no more than its key.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        origin = request.headers.get("Origin", "")
        if not origin or not request.path.startswith(PREFIX):
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response = HttpResponse(status=204, headers={"Access-Control-Max-Age": "600"})
        else:
            response = self.get_response(request)
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _TAKEN
        response.headers["Access-Control-Expose-Headers"] = _SHOWN
        patch_vary_headers(response, ["Origin"])
        return response


class ApiProblems:
    """Has an address or a method that there is not told as a problem (RFC 9457), as every other refusal is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        response = self.get_response(request)
        if not request.path.startswith(PREFIX) or "json" in response.headers.get("Content-Type", ""):
            return response
        if response.status_code == 404:
            return problem_response(NotFound("There is nothing at this address. See /api/openapi.json."))
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            return problem_response(WrongMethod(f"This address takes {allowed}."), {"Allow": allowed})
        return response
