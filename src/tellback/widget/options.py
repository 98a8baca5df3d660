"""How a workspace's widget looks and what it asks. Pure: what may be set, its defaults, and how it is sent."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Kind = Literal["bug", "feature", "question", "praise", "ux", "performance", "docs", "billing", "other"]
#: What somebody may say their message is, in the order in which it is offered; words-*.js has a word for each.
KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES = ("en", "de", "ar")

Offset = Annotated[int, Field(ge=0, le=400)]


def _in_order(kinds: list[Kind]) -> list[Kind]:
    return [kind for kind in KINDS if kind in kinds]


class WidgetOptions(BaseModel):
    """What is set under Settings, Widget. A page may say otherwise for itself when it calls `init`."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#1f6b52"
    theme: Literal["auto", "light", "dark"] = "auto"
    position: Literal["end", "start"] = "end"
    offset_x: Offset = 20
    offset_y: Offset = 20
    label: Annotated[str, Field(max_length=24)] = ""
    language: Literal["", "en", "de", "ar"] = ""
    kinds: Annotated[list[Kind], Field(min_length=1), AfterValidator(_in_order)] = list(KINDS[:4])
    rating: bool = True
    screenshot: bool = True
    launcher: bool = True


def read_options(stored: object) -> WidgetOptions:
    """The options as they are stored; the defaults when nothing, or nothing readable, is."""
    try:
        return WidgetOptions.model_validate(stored or {})
    except ValidationError:
        return WidgetOptions()


def sent_options(options: WidgetOptions) -> dict[str, Any]:
    """What the widget needs to be told: only what differs from its defaults."""
    return options.model_dump(by_alias=True, exclude_defaults=True)
