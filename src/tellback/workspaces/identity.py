"""Who somebody is: authors as a source names them, resolved to principals (document 3, section 7.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from tellback.platform.bulk import update_rows
from tellback.workspaces.models import ApiKey, ExternalIdentity, Principal, PrincipalType

#: The source of the services that stand for API keys.
_KEYS = "api_key"
LEARNT = ("display_name", "company", "plan", "mrr", "email")


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

    @property
    def external(self) -> tuple[str, str]:
        """How the source calls the person."""
        return self.source_type, self.external_user_id


def resolve_author(*, workspace_id: UUID, author: Author) -> Principal | None:
    """The principal behind one author; see `resolve_authors`."""
    return resolve_authors(workspace_id=workspace_id, authors=[author])[0]


def resolve_authors(*, workspace_id: UUID, authors: Sequence[Author]) -> list[Principal | None]:
    """The principal behind each author: by principal id, else e-mail, else the source's own id. None for nobody.

    Unknown people get a principal without a login. Two at once for the same person give one. What was unknown about a
    person (name, company, plan, MRR) is filled in, never overwritten. Takes a handful of queries, however many authors.
    """
    people = _People.load(authors)
    if not all(people.is_settled(author) for author in authors):
        _one_newcomer_at_a_time(workspace_id)
        people = _People.load(authors)
        for author in authors:
            people.settle(author, workspace_id)
        people.save()
    return [people.find(author) for author in authors]


def find_author(author: Author) -> Principal | None:
    """The principal behind an author, if they are known. Nobody is made, and nothing learnt."""
    return _People.load([author]).find(author)


@transaction.atomic
def get_key_principal(api_key: ApiKey) -> Principal:
    """Who acts through an API key: whoever made it, or for a key made on the command line a service of its name."""
    if api_key.created_by:
        return current_person(api_key.created_by)
    _one_newcomer_at_a_time(api_key.workspace_id)
    ours = {"workspace_id": api_key.workspace_id, "source_type": _KEYS, "external_user_id": str(api_key.id)}
    known = ExternalIdentity.objects.filter(**ours).select_related("principal").first()
    if known:
        return known.principal
    service = Principal.objects.create(
        workspace_id=api_key.workspace_id, type=PrincipalType.SERVICE, display_name=api_key.name
    )
    ExternalIdentity.objects.create(**ours, principal=service)
    return service


def current_people(people: dict[UUID, Principal]) -> dict[UUID, Principal]:
    """For each of these people whom they are merged into, however often; who is not costs no query."""
    known = dict(people)
    while missing := {one.merged_into_id for one in known.values() if one.merged_into_id} - known.keys():
        known |= Principal.objects.in_bulk(missing)

    def now(person: Principal) -> Principal:
        return now(known[person.merged_into_id]) if person.merged_into_id else person

    return {id: now(person) for id, person in people.items()}


def current_person(person: Principal) -> Principal:
    """Whom this person is merged into, however often; themselves when they are not."""
    return current_people({person.id: person})[person.id]


def _one_newcomer_at_a_time(workspace_id: UUID) -> None:
    """Let no other transaction meet new people of this workspace, or learn of known ones, until ours ends.

    Two batches that meet the same people in another order would else wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"newcomers:{workspace_id}"])


@dataclass
class _People:
    """The people that authors may be, and what is to be stored about them."""

    by_id: dict[UUID, Principal]
    by_email: dict[str, Principal]
    by_external: dict[tuple[str, str], Principal]
    made: list[Principal] = field(default_factory=list)
    links: list[ExternalIdentity] = field(default_factory=list)
    changed: dict[UUID, Principal] = field(default_factory=dict)

    @classmethod
    def load(cls, authors: Sequence[Author]) -> "_People":
        ids = {author.principal_id for author in authors if author.principal_id}
        emails = {author.email.lower() for author in authors if author.email}
        externals = {author.external for author in authors if author.external_user_id}
        links = _links(externals)
        # One object for each person, however they were found: what is learnt of them must come together.
        one = {link.principal_id: link.principal for link in links.values()}
        if ids:
            one |= Principal.objects.in_bulk(ids)
        if emails:
            # Without an empty address among them, which lets the index of addresses be used.
            named = Principal.objects.exclude(email="").alias(folded=Lower("email")).filter(folded__in=emails)
            one |= {person.id: person for person in named}
        now = current_people(one)
        return cls(
            by_id={id: now[id] for id in one},
            by_email={person.email.lower(): now[id] for id, person in one.items() if person.email},
            by_external={external: now[link.principal_id] for external, link in links.items()},
        )

    def find(self, author: Author) -> Principal | None:
        """Who this is, as far as is known."""
        if author.principal_id:
            return self.by_id.get(author.principal_id)
        if author.email:
            return self.by_email.get(author.email.lower())
        return self.by_external.get(author.external) if author.external_user_id else None

    def is_settled(self, author: Author) -> bool:
        """Whether there is nothing to store for this author."""
        if author.principal_id or not (author.email or author.external_user_id):
            return True
        person = self.find(author)
        return person is not None and not _unknown_of(person, author) and not self._is_new_link(author)

    def settle(self, author: Author, workspace_id: UUID) -> None:
        """Know this author, and what they say that was not known."""
        if self.is_settled(author):
            return
        person = self.find(author) or self._adopt(author) or self._make(author, workspace_id)
        if self._is_new_link(author):
            self.by_external[author.external] = person
            self.links.append(
                ExternalIdentity(
                    workspace_id=workspace_id,
                    source_type=author.source_type,
                    external_user_id=author.external_user_id,
                    principal=person,
                    external_name=author.name or None,
                    external_email=author.email or None,
                )
            )
        for name, value in _unknown_of(person, author).items():
            setattr(person, name, value)
            self.changed[person.id] = person

    def _is_new_link(self, author: Author) -> bool:
        """Whether the source's own id is not tied to anybody, and may be."""
        may = bool(author.external_user_id) and (author.vouched or not author.email)
        return may and author.external not in self.by_external

    def _adopt(self, author: Author) -> Principal | None:
        """The person whom the source's id means, if it is their e-mail that was not known."""
        linked = self.by_external.get(author.external) if author.external_user_id and author.vouched else None
        if linked is None or linked.email:
            return None
        linked.email = author.email.lower()
        self.by_email[linked.email] = self.changed[linked.id] = linked
        return linked

    def _make(self, author: Author, workspace_id: UUID) -> Principal:
        person = Principal(workspace_id=workspace_id, email=author.email.lower(), display_name=author.name)
        self.made.append(person)
        if person.email:
            self.by_email[person.email] = person
        return person

    def save(self) -> None:
        """Store what is new."""
        Principal.objects.bulk_create(self.made)
        fresh = {person.id for person in self.made}
        learnt = [person for id, person in sorted(self.changed.items()) if id not in fresh]
        for person in learnt:
            person.updated_at = timezone.now()
        update_rows(learnt, [*LEARNT, "updated_at"])
        ExternalIdentity.objects.bulk_create(self.links)


def _links(externals: set[tuple[str, str]]) -> dict[tuple[str, str], ExternalIdentity]:
    if not externals:
        return {}
    near = ExternalIdentity.objects.filter(
        source_type__in={kind for kind, _ in externals}, external_user_id__in={name for _, name in externals}
    ).select_related("principal")
    found = {(link.source_type, link.external_user_id): link for link in near}
    return {external: link for external, link in found.items() if external in externals}


def _unknown_of(person: Principal, author: Author) -> dict[str, object]:
    """What the author says of themselves that was not known."""
    stated: dict[str, object] = {"display_name": author.name}
    if author.vouched:
        stated |= {"company": author.company, "plan": author.plan, "mrr": author.mrr}
    return {name: value for name, value in stated.items() if value and not getattr(person, name)}
