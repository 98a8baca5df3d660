"""Version 1 as document 1's `schema.strict_mode: false` takes it: what a number says is a text where one belongs."""

from pydantic import ConfigDict

from tellback.intake.schemas.v1 import FeedbackV1, Metadata


class LaxMetadata(Metadata):
    """Numbers are taken as texts, for instance a version or a build."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class LaxFeedbackV1(FeedbackV1):
    """Numbers are taken as texts, for instance a user's id; seconds since 1970 are taken as times."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    metadata: LaxMetadata | None = None
