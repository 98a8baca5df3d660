"""What other tools' words for a status mean here. Pure."""

import re

from tellback.boards.models import StatusCategory

#: Compared in lower case with single blanks.
STATUS_WORDS: dict[str, StatusCategory] = {
    word: category
    for category, words in {
        StatusCategory.OPEN: ("open", "new", "submitted", "received", "none", "no status", "0"),
        StatusCategory.UNDER_REVIEW: (
            "under review", "in review", "under consideration", "considering", "reviewing", "needs review",
            "gathering feedback", "exploring", "researching", "acknowledged",
        ),
        StatusCategory.PLANNED: ("planned", "accepted", "scheduled", "next", "backlog", "to do", "4"),
        StatusCategory.IN_PROGRESS: (
            "in progress", "started", "doing", "in development", "building", "working on it", "beta", "1",
        ),
        StatusCategory.COMPLETE: (
            "complete", "completed", "done", "shipped", "released", "live", "launched", "finished", "implemented", "2",
        ),
        StatusCategory.CLOSED: (
            "closed", "declined", "rejected", "wont do", "won't do", "not planned", "cancelled", "canceled",
            "duplicate", "merged", "archived", "3", "5",
        ),
    }.items()
    for word in words
}  # fmt: skip
#: Posts in these states were not for everybody's eyes.
HELD_BACK = frozenset({"spam", "deleted", "rejected", "trash", "hidden", "unpublished", "blocked", "6"})


def normal(word: str) -> str:
    """A word as words are compared."""
    return re.sub(r"[\s_-]+", " ", word.strip().casefold())


def category_of(word: str) -> StatusCategory | None:
    """The category that a status of another tool falls into; None when its name tells nothing."""
    return STATUS_WORDS.get(normal(word))
