"""How an operation of the API is declared, and what several of them take."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from ninja import Header, Router

View = TypeVar("View", bound=Callable[..., Any])
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes a repeated request harmless: a fresh UUID for each request, the same one for each retry",
    ),
]


def answer_at(router: Router, method: str, path: str, **about: Any) -> Callable[[View], View]:
    """Answer a method at a path, which is described with its slash and understood without it as well."""

    def declare(view: View) -> View:
        operation = getattr(router, method)
        operation(path, operation_id=view.__name__, **about)(view)
        operation(path.rstrip("/"), url_name=f"{view.__name__}_plain", include_in_schema=False, **about)(view)
        return view

    return declare
