"""The schema registry: every payload version as a strict model."""

from pydantic import BaseModel

from tellback.intake.schemas.v1 import FeedbackV1

#: The published versions. One is never changed in a way that an older client would notice.
VERSIONS: dict[str, type[BaseModel]] = {"v1": FeedbackV1}
