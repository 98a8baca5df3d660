"""The people whom rows of boards name, as principals."""

from collections.abc import Iterable
from dataclasses import dataclass

from tellback.boards.imports.rows import PersonRow
from tellback.intake.importing.feedback import SOURCE_TYPE
from tellback.intake.importing.landing import Delivery
from tellback.intake.importing.said import Person
from tellback.intake.redaction import Redactor
from tellback.workspaces.identity import Author, resolve_authors
from tellback.workspaces.models import Principal


@dataclass(frozen=True, slots=True)
class People:
    """Principals by the person whom a row names."""

    found: dict[Person, Principal]

    def get(self, person: Person) -> Principal | None:
        """Who that is; None when the row names nobody."""
        return self.found.get(person)


def resolve_people(people: Iterable[Person], delivery: Delivery) -> People:
    """The principals of these people, made when they are not known. Ids and bare names count within one source."""
    wanted = list(dict.fromkeys(person for person in people if person))
    authors = [author_of(person, delivery) for person in wanted]
    principals = resolve_authors(workspace_id=delivery.workspace_id, authors=authors)
    return People({one: found for one, found in zip(wanted, principals, strict=True) if found})


def learn_people(rows: Iterable[PersonRow], delivery: Delivery) -> None:
    """Know these people, with what else the file says of them."""
    authors = [author_of(row.person, delivery, company=row.company, plan=row.plan) for row in rows]
    resolve_authors(workspace_id=delivery.workspace_id, authors=authors)


def author_of(person: Person, delivery: Delivery, *, company: str = "", plan: str = "") -> Author:
    """The person as an author of this source."""
    said = person.user_id or ("" if person.email else f"name:{person.name.casefold()}")
    return Author(
        source_type=SOURCE_TYPE,
        external_user_id=f"{delivery.source_id.hex[-12:]}:{said}" if said else "",
        email=person.email,
        name=Redactor().redact_name(person.name),
        company=company,
        plan=plan,
    )
