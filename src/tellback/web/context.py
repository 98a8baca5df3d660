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


MAIN = (
    (_("Feedback"), "/admin/feedback/insights", "message-square-quote", "/admin/feedback"),
    (_("Roadmap"), "/admin/roadmap", "map", "/admin/roadmap"),
    (_("Changelog"), "/admin/changelog", "megaphone", "/admin/changelog"),
    (_("Users"), "/admin/users", "users", "/admin/users"),
    (_("Settings"), "/admin/settings", "settings", "/admin/settings"),
)
REST = (
    (_("Notifications"), "/admin/notifications", "bell", "/admin/notifications"),
    (_("Mailbox"), "/admin/mailbox", "mail", "/admin/mailbox"),
    (_("Public pages"), "/", "globe", "//"),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation with the present place marked, and the theme that the person chose."""
    chosen = request.COOKIES.get("theme", "")

    def entries(rows: tuple[Any, ...]) -> list[Entry]:
        return [Entry(label, url, icon, request.path.startswith(place)) for label, url, icon, place in rows]

    return {
        "theme": chosen if chosen in THEMES else "auto",
        "navigation": entries(MAIN),
        "navigation_rest": entries(REST),
    }
