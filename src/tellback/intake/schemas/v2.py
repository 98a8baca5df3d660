"""Version 2 of the payload: everything of version 1, and author, context, tags, rating, source and time of origin.

The context is document 3's envelope (section 4.1). Every body that version 1 takes is taken here too.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from tellback.intake.schemas.v1 import Category, Channel, Metadata, Severity, Strict
from tellback.intake.schemas.values import FreeForm, Instant, Language, Link, Name, Text, has_words, storable

MAX_CONTENT = 20_000
MAX_MESSAGES = 200
MAX_BASE64 = 1_048_576

Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+$")]
Tag = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(storable), AfterValidator(has_words)]
Said = Annotated[str, Field(max_length=MAX_CONTENT), AfterValidator(storable)]


class AuthorV2(Strict):
    """Who said it, in any of these ways. What a signed `userToken` says counts over the other fields."""

    name: Name | None = None
    email: Email | None = None
    external_user_id: Name | None = Field(None, description="Your id of the person; userId of version 1")
    user_token: Annotated[str, Field(min_length=1, max_length=8192)] | None = Field(
        None, description="A token (JWT) that your server signed for this person, see Settings, Widget"
    )
    attributes: FreeForm | None = None


class SourceChannel(Strict):
    """Where it was said, when that was a channel, a list or a forum."""

    id: Text | None = None
    name: Text | None = None
    type: Text | None = None
    purpose: Text | None = None
    permalink: Link | None = None


class SourceTicket(Strict):
    """The support ticket that it comes from."""

    id: Text | None = None
    status: Text | None = None
    priority: Text | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] | None = None
    custom_fields: FreeForm | None = None


class SourceConversation(Strict):
    """The conversation that it comes from."""

    id: Text | None = None
    state: Text | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] | None = None


class ThreadMessage(Strict):
    """One message of the thread around it."""

    id: Name
    author_name: Text | None = None
    author_email: Email | None = None
    role: Literal["customer", "agent", "teammate", "system"] | None = None
    sent_at: Instant
    text: Said
    is_trigger: Annotated[bool, Field(strict=True)] | None = None


class Customer(Strict):
    """The customer that the author belongs to."""

    id: Text | None = None
    email: Email | None = None
    company: Name | None = None
    plan: Annotated[str, Field(max_length=40), AfterValidator(storable)] | None = None
    mrr: Annotated[float, Field(strict=True, ge=0, le=9_999_999_999, allow_inf_nan=False)] | None = Field(
        None, description="Monthly recurring revenue"
    )
    attributes: FreeForm | None = None


class PageContext(Strict):
    """The page on which it was said."""

    url: Text | None = None
    title: Text | None = None
    route: Text | None = None
    user_agent: Text | None = None
    session_id: Text | None = None


class LinkedAttachment(Strict):
    """A file that stays where it is; only its address is kept."""

    id: Text | None = None
    name: Name
    mime_type: Annotated[str, Field(max_length=127), AfterValidator(storable)] | None = None
    size_bytes: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None
    url: Link | None = None


class Context(Strict):
    """The context envelope of document 3, section 4.1."""

    source_channel: SourceChannel | None = None
    source_ticket: SourceTicket | None = None
    source_conversation: SourceConversation | None = None
    thread: Annotated[list[ThreadMessage], Field(max_length=MAX_MESSAGES)] | None = None
    customer: Customer | None = None
    page_context: PageContext | None = None
    attachments: Annotated[list[LinkedAttachment], Field(max_length=50)] | None = None
    metadata: FreeForm | None = None


class SentAttachment(Strict):
    """A small file inside of the request. Larger ones are sent as a form, see the field `files` there."""

    name: Name
    data: Annotated[str, Field(min_length=1, max_length=MAX_BASE64)] = Field(
        description="Base64, also as a data: address; what kind of file it is, is found out from its content"
    )


class FeedbackV2(Strict):
    """One piece of feedback. The idempotency key, here or in the header, makes a repeated request harmless."""

    idempotency_key: UUID | None = Field(None, description="A fresh UUID; the header Idempotency-Key says the same")
    user_id: Text | None = Field(None, description="As in version 1; the same as author.externalUserId")
    session_id: Text | None = Field(None, description="Your id of the session, or null")
    channel: Channel = "api"
    category: Category = "other"
    severity: Severity = "medium"
    content: Annotated[
        str, Field(min_length=1, max_length=MAX_CONTENT), AfterValidator(storable), AfterValidator(has_words)
    ]
    subject: Annotated[str, Field(max_length=500), AfterValidator(storable)] | None = None
    language: Language | None = Field(None, description="BCP 47, for instance en or pt-BR")
    rating: Annotated[int, Field(strict=True, ge=1, le=5)] | None = Field(None, description="1 to 5, 5 is best")
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None
    source: Name | None = Field(None, description="Id or name of one of the workspace's own sources")
    external_url: Link | None = Field(None, description="Where the original can be read")
    author: AuthorV2 | None = None
    context: Context | None = None
    attachments: Annotated[list[SentAttachment], Field(max_length=5)] | None = None
    metadata: Metadata | None = Field(None, description="As in version 1")
    timestamp: Instant | None = Field(None, description="As in version 1: when it was said")
    occurred_at: Instant | None = Field(None, description="When it was first said; counts over timestamp")
