"""What every page's template may use: navigation and theme."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

THEMES = {"light", "dark"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the admin's navigation."""

    label: Any
    url: str
    icon: str
    active: bool = False
    count: int = 0
    key: str = ""


MAIN = (
    (_("Feedback"), "/admin/feedback/insights", "message-square-quote", "/admin/feedback", "i"),
    (_("Roadmap"), "/admin/roadmap", "map", "/admin/roadmap", "r"),
    (_("Changelog"), "/admin/changelog", "megaphone", "/admin/changelog", "c"),
    (_("Users"), "/admin/users", "users", "/admin/users", "u"),
    (_("Settings"), "/admin/settings", "settings", "/admin/settings", "t"),
)
#: Shown to admins only, since only they may open them.
FOR_ADMINS = frozenset({"/admin/settings", "/admin/mailbox"})
REST = (
    (_("Notifications"), "/admin/notifications", "bell", "/admin/notifications", "n"),
    (_("Mailbox"), "/admin/mailbox", "mail", "/admin/mailbox", "m"),
    (_("Public pages"), "/", "globe", "//", ""),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation with the present place marked, and the theme that the person chose."""
    chosen = request.COOKIES.get("theme", "")

    is_admin = getattr(request, "is_admin", False)

    def entries(rows: tuple[Any, ...]) -> list[Entry]:
        return [
            Entry(label, url, icon, request.path.startswith(place), key=key)
            for label, url, icon, place, key in rows
            if is_admin or url not in FOR_ADMINS
        ]

    return {
        "theme": chosen if chosen in THEMES else "auto",
        "navigation": entries(MAIN),
        "navigation_rest": entries(REST),
    }
