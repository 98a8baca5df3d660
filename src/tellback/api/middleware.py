"""Refusals that never reach an operation of the API: an address or a method that there is not."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tellback.api.app import problem_response
from tellback.api.errors import WrongMethod
from tellback.kernel.errors import NotFound

PREFIX = "/api/"


class ApiProblems:
    """Has them told as problems (RFC 9457), as every other refusal of the API is."""

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
