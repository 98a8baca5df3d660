"""The schema registry: every payload version as a strict model, and when it ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from tellback.intake.schemas.v1 import FeedbackV1
from tellback.intake.schemas.v2 import FeedbackV2


@dataclass(frozen=True, slots=True)
class Version:
    """One published version. `retired_at` is when it became deprecated, `ends_at` when its door closes."""

    model: type[BaseModel]
    retired_at: datetime | None = None
    ends_at: datetime | None = None
    successor: str | None = None

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema (2020-12), with the names that are sent."""
        return self.model.model_json_schema(by_alias=True)

    def has_ended(self, now: datetime) -> bool:
        """Whether its door is closed."""
        return self.ends_at is not None and self.ends_at <= now


#: The published versions. One is never changed in a way that an older client would notice; to retire one, give it
#: `retired_at`, `ends_at` and `successor`, and its answers say so from then on.
VERSIONS: dict[str, Version] = {
    "v1": Version(FeedbackV1),
    "v2": Version(FeedbackV2),
}
