"""Who somebody is: an author as a source names them, resolved to a principal (document 3, section 7.1)."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection

from tellback.workspaces.models import ExternalIdentity, Principal


@dataclass(frozen=True, slots=True)
class Author:
    """What a source says of a person; each part may be empty.

    `vouched` is False when only the person themselves said so, through a key that stands in a public page. Their words
    then join the person named, and nothing about that person is learnt from them but a name.
    """

    source_type: str
    external_user_id: str = ""
    email: str = ""
    name: str = ""
    principal_id: UUID | None = None
    company: str = ""
    plan: str = ""
    mrr: Decimal | None = None
    vouched: bool = True


def resolve_author(*, workspace_id: UUID, author: Author) -> Principal | None:
    """The principal behind an author: by principal id, else e-mail, else the source's own id. None for nobody.

    Unknown people get a principal without a login. Two at once for the same person give one. What was unknown about a
    person (name, company, plan, MRR) is filled in, never overwritten.
    """
    if author.principal_id:
        return Principal.objects.filter(id=author.principal_id).first()
    if author.email:
        principal = _by_email(workspace_id, author)
        if author.external_user_id and author.vouched:
            _remember(workspace_id, author, principal)
    elif author.external_user_id:
        principal = _by_external_id(workspace_id, author)
    else:
        return None
    _fill_in(principal, author)
    return principal


def _by_email(workspace_id: UUID, author: Author) -> Principal:
    known = _with_email(author)
    if known:
        return known
    _one_newcomer_at_a_time(workspace_id)
    known = _with_email(author)
    if known:
        return known
    linked = _linked(author) if author.vouched else None
    if linked and not linked.email:
        linked.email = author.email.lower()
        linked.save(update_fields=["email", "updated_at"])
        return linked
    return Principal.objects.create(workspace_id=workspace_id, email=author.email.lower(), display_name=author.name)


def _with_email(author: Author) -> Principal | None:
    return Principal.objects.filter(email__iexact=author.email).first()


def _one_newcomer_at_a_time(workspace_id: UUID) -> None:
    """Let no other transaction meet new people of this workspace until ours ends.

    Two batches that meet the same people in another order would else wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"newcomers:{workspace_id}"])


def _by_external_id(workspace_id: UUID, author: Author) -> Principal:
    known = _linked(author)
    if known:
        return known
    _one_newcomer_at_a_time(workspace_id)
    known = _linked(author)
    if known:
        return known
    made = Principal.objects.create(workspace_id=workspace_id, display_name=author.name)
    _remember(workspace_id, author, made)
    return made


def _linked(author: Author) -> Principal | None:
    if not author.external_user_id:
        return None
    identity = (
        ExternalIdentity.objects.filter(source_type=author.source_type, external_user_id=author.external_user_id)
        .select_related("principal")
        .first()
    )
    return identity.principal if identity else None


def _remember(workspace_id: UUID, author: Author, principal: Principal) -> None:
    ExternalIdentity.objects.get_or_create(
        workspace_id=workspace_id,
        source_type=author.source_type,
        external_user_id=author.external_user_id,
        defaults={
            "principal": principal,
            "external_name": author.name or None,
            "external_email": author.email or None,
        },
    )


def _fill_in(principal: Principal, author: Author) -> None:
    missing: dict[str, object] = {"display_name": author.name}
    if author.vouched:
        missing |= {"company": author.company, "plan": author.plan, "mrr": author.mrr}
    changed = [name for name, value in missing.items() if value and not getattr(principal, name)]
    for name in changed:
        setattr(principal, name, missing[name])
    if changed:
        principal.save(update_fields=[*changed, "updated_at"])
