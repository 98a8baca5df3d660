"""Version 1 of the payload: document 1's, strict, camelCase."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tellback.intake.schemas.values import Text, has_words, in_utc, storable

Channel = Literal["in-app", "support", "review", "community", "api"]
Category = Literal[
    "bug", "feature-request", "usability", "billing", "other",
    "feature", "performance", "docs", "ux", "question", "praise",
]  # fmt: skip
Severity = Literal["critical", "high", "medium", "low"]


class Strict(BaseModel):
    """Base of every part of a payload: camelCase outside, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, str_max_length=4096)


class Metadata(Strict):
    """What the client knew of where it was said."""

    user_agent: Text | None = None
    locale: Text | None = None
    app_version: Text | None = None
    page_url: Text | None = None
    screenshot_base64: Annotated[str, Field(max_length=1_400_000), AfterValidator(storable)] | None = Field(
        None, alias="screenshotBase64", description="Kept as an attachment"
    )


class FeedbackV1(Strict):
    """One piece of feedback. The idempotency key makes a repeated request harmless."""

    idempotency_key: UUID
    user_id: Text | None = Field(None, description="Your id of the person, or null")
    session_id: Text | None = Field(None, description="Your id of the session, or null")
    channel: Channel
    category: Category
    severity: Severity = "medium"
    content: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable), AfterValidator(has_words)]
    metadata: Metadata | None = None
    timestamp: Annotated[AwareDatetime, AfterValidator(in_utc)] = Field(
        description="When it was said, RFC 3339 with a zone"
    )
