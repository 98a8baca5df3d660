"""Signed widget tokens: what is let in, and everything that is not (AUT-04)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import IntegrityError, transaction

from tellback.kernel.errors import Conflict, Invalid, Unauthenticated, Unavailable
from tellback.kernel.ids import new_id
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.identity import Author, resolve_author
from tellback.workspaces.models import (
    Principal,
    SpentWidgetToken,
    WidgetKeyAlgorithm,
    WidgetSigningKey,
    Workspace,
)
from tellback.workspaces.widget_identity.keys import issue_signing_key, revoke_signing_key
from tellback.workspaces.widget_identity.services import WidgetIdentity, identify, verify_widget_token
from tellback.workspaces.widget_identity.sessions import issue_session, read_session

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RSA = generate_private_key(65537, 2048)
ED = Ed25519PrivateKey.generate()
Signed = Callable[..., str]


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forge(header: bytes, payload: bytes, secret: str) -> str:
    """A token with exactly these bytes, signed with HMAC-SHA256: no library smooths it out."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


class Customer:
    """A customer's server that signs tokens for its people."""

    def __init__(self, workspace: Workspace) -> None:
        issued = issue_signing_key(workspace=workspace, name="Server", algorithm=WidgetKeyAlgorithm.HS256)
        assert issued.secret
        self.workspace, self.row, self.secret = workspace, issued.signing_key, issued.secret
        self.kid = self.row.public_id

    def claims(self, **changes: Any) -> dict[str, Any]:
        stated = {
            "sub": "u-17",
            "aud": self.workspace.public_id,
            "iat": NOW.timestamp(),
            "exp": (NOW + timedelta(minutes=10)).timestamp(),
            "email": "Ada@Example.com",
            "name": "Ada",
            **changes,
        }
        return {name: value for name, value in stated.items() if value is not ...}

    def sign(self, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), self.secret, algorithm="HS256", headers={"kid": self.kid})

    def raw(self, header: dict[str, Any] | bytes | None = None, payload: dict[str, Any] | bytes | None = None) -> str:
        head = {"alg": "HS256", "kid": self.kid, "typ": "JWT"} if header is None else header
        body = self.claims() if payload is None else payload
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, body)]
        return forge(parts[0], parts[1], self.secret)

    def empty_keyed(self, header: dict[str, Any]) -> str:
        return forge(json.dumps(header).encode(), json.dumps(self.claims()).encode(), "")


@pytest.fixture
def customer(workspace: Workspace) -> Customer:
    return Customer(workspace)


def verify(token: str, workspace: Workspace, at: datetime = NOW) -> WidgetIdentity:
    return verify_widget_token(token=token, workspace=workspace, now=at)


def private_pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def public_pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def test_a_signed_token_says_who_somebody_is(customer: Customer, workspace: Workspace) -> None:
    identity = verify(customer.sign(company="Nordlys", plan="team"), workspace)
    assert identity == WidgetIdentity(
        "u-17", "ada@example.com", "Ada", "Nordlys", "team", expires_at=NOW + timedelta(minutes=10)
    )
    assert verify(customer.raw(), workspace).external_user_id == "u-17", "the forge itself makes what is accepted"
    customer.row.refresh_from_db()
    assert customer.row.last_used_at == NOW


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"aud": ["another", ...]}, 0),
        ({"exp": NOW.timestamp()}, 60),
        ({"iat": NOW.timestamp() + 60, "nbf": NOW.timestamp() + 60}, 0),
        ({"iat": ...}, 0),
        ({"exp": NOW.timestamp() + 24 * 3600}, 0),
        ({"email": ..., "name": ...}, 0),
        ({"role": {"of": ["theirs"]}}, 0),
    ],
)
def test_what_is_still_right_is_accepted(
    customer: Customer, workspace: Workspace, changes: dict[str, Any], seconds: int
) -> None:
    if isinstance(changes.get("aud"), list):
        changes = {"aud": ["another", workspace.public_id]}
    assert verify(customer.sign(**changes), workspace, NOW + seconds * SECOND).external_user_id == "u-17"


WRONG_CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("no exp", {"exp": ...}),
    ("exp is null", {"exp": None}),
    ("exp is text", {"exp": "4102444800"}),
    ("exp is true", {"exp": True}),
    ("exp is a list", {"exp": [4102444800]}),
    ("exp before 1970", {"exp": -1}),
    ("exp beyond every calendar", {"exp": 10**30}),
    ("expired for 61 seconds", {"exp": NOW.timestamp() - 61}),
    ("good for more than a day", {"exp": NOW.timestamp() + 24 * 3600 + 61}),
    ("iat in the future", {"iat": NOW.timestamp() + 61}),
    ("not before later", {"nbf": NOW.timestamp() + 61}),
    ("no aud", {"aud": ...}),
    ("wrong aud", {"aud": "ws_01h455vb4pex5vsknk084sn02q"}),
    ("aud is empty", {"aud": []}),
    ("aud is a number", {"aud": 7}),
    ("no sub", {"sub": ...}),
    ("sub is empty", {"sub": ""}),
    ("sub is a number", {"sub": 17}),
    ("sub is long", {"sub": "u" * 201}),
    ("sub holds NUL", {"sub": "u\x0017"}),
    ("sub holds a lone surrogate", {"sub": "u\ud800"}),
    ("email is no address", {"email": "ada"}),
    ("email is two addresses", {"email": "a@example.com,b@example.com"}),
    ("name is a list", {"name": ["Ada"]}),
    ("jti is empty", {"jti": ""}),
    ("jti is a number", {"jti": 5}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in WRONG_CLAIMS], ids=[name for name, _ in WRONG_CLAIMS])
def test_a_token_with_wrong_claims_is_refused(
    customer: Customer, workspace: Workspace, changes: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        verify(customer.raw(payload=customer.claims(**changes)), workspace)


WRONG_TOKENS: list[tuple[str, Callable[[Customer], str]]] = [
    ("empty", lambda _: ""),
    ("not a token", lambda _: "hello"),
    ("dots", lambda _: ".."),
    ("not ASCII", lambda c: c.sign() + "é"),
    ("four parts", lambda c: c.sign() + ".x"),
    ("64 KB", lambda c: c.sign(name="x" * 65536)),
    ("64 KB of dots", lambda _: "." * 65536),
    ("64 KB header", lambda c: c.raw(header={"alg": "HS256", "kid": c.kid, "x": "y" * 65536})),
    ("a changed signature", lambda c: c.sign()[:-4] + "AAAA"),
    ("no signature", lambda c: c.sign().rpartition(".")[0] + "."),
    ("alg none", lambda c: c.raw(header={"alg": "none", "kid": c.kid}).rpartition(".")[0] + "."),
    ("alg None", lambda c: c.raw(header={"alg": "None", "kid": c.kid}).rpartition(".")[0] + "."),
    ("alg none, signed", lambda c: c.raw(header={"alg": "none", "kid": c.kid})),
    ("no alg", lambda c: c.raw(header={"kid": c.kid})),
    ("alg is a list", lambda c: c.raw(header={"alg": ["HS256"], "kid": c.kid})),
    ("HS512", lambda c: c.raw(header={"alg": "HS512", "kid": c.kid})),
    ("RS256 over the secret", lambda c: c.raw(header={"alg": "RS256", "kid": c.kid})),
    ("RS256", lambda c: jwt.encode(c.claims(), private_pem(RSA), algorithm="RS256", headers={"kid": c.kid})),
    ("EdDSA", lambda c: jwt.encode(c.claims(), private_pem(ED), algorithm="EdDSA", headers={"kid": c.kid})),
    ("no kid", lambda c: c.raw(header={"alg": "HS256"})),
    ("kid ../", lambda c: c.raw(header={"alg": "HS256", "kid": "../"})),
    ("kid ../../dev/null", lambda c: c.empty_keyed({"alg": "HS256", "kid": "../../dev/null"})),
    ("kid is SQL", lambda c: c.raw(header={"alg": "HS256", "kid": "' OR 1=1 --"})),
    ("kid is a number", lambda c: c.raw(header={"alg": "HS256", "kid": 1})),
    ("kid is NUL", lambda c: c.raw(header={"alg": "HS256", "kid": "\x00"})),
    ("kid of nobody", lambda c: c.raw(header={"alg": "HS256", "kid": str(new_id())})),
    ("kid is an id of another kind", lambda c: c.raw(header={"alg": "HS256", "kid": c.workspace.public_id})),
    ("a key of its own", lambda c: c.empty_keyed({"alg": "HS256", "kid": c.kid, "jwk": {"kty": "oct", "k": ""}})),
    ("crit", lambda c: c.raw(header={"alg": "HS256", "kid": c.kid, "crit": ["exp"]})),
    ("b64 false", lambda c: c.raw(header={"alg": "HS256", "kid": c.kid, "b64": False, "crit": ["b64"]})),
    ("claims twice", lambda c: c.raw(payload=json.dumps(c.claims()).encode()[:-1] + b',"sub":"admin"}')),
    ("header twice", lambda c: c.raw(header=f'{{"alg":"none","kid":"{c.kid}","alg":"HS256"}}'.encode())),
    ("exp NaN", lambda c: c.raw(payload=json.dumps({**c.claims(), "exp": float("nan")}).encode())),
    ("exp 1e400", lambda c: c.raw(payload=json.dumps(c.claims(exp=...)).encode()[:-1] + b',"exp":1e400}')),
    ("deep header", lambda c: c.raw(header=b"[" * 5000)),
    ("deep claims", lambda c: c.raw(payload=b'{"sub":' + b"[" * 5000)),
    ("claims are a list", lambda c: c.raw(payload=b"[]")),
    ("claims are text", lambda c: c.raw(payload=b"hello")),
    ("claims are not UTF-8", lambda c: c.raw(payload=b'{"sub":"\xff\xfe"}')),
    ("header is not base64", lambda c: "!!!." + c.sign().split(".", 1)[1]),
]  # fmt: skip


@pytest.mark.parametrize("make", [make for _, make in WRONG_TOKENS], ids=[name for name, _ in WRONG_TOKENS])
def test_what_is_no_token_of_ours_is_refused(
    customer: Customer, workspace: Workspace, make: Callable[[Customer], str]
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verify(make(customer), workspace)
    assert refusal.value.stable_code.startswith("widget-token-")


def test_the_key_of_another_workspace_opens_nothing(
    customer: Customer, workspace: Workspace, other_workspace_id: UUID
) -> None:
    with in_workspace(other_workspace_id):
        other = Customer(Workspace.objects.get())
        assert verify(other.sign(), other.workspace)
    theirs = jwt.encode(customer.claims(), other.secret, algorithm="HS256", headers={"kid": other.kid})
    borrowed = jwt.encode(customer.claims(), other.secret, algorithm="HS256", headers={"kid": customer.kid})
    for token in (theirs, borrowed, other.sign()):
        with pytest.raises(Unauthenticated):
            verify(token, workspace)


def test_a_public_key_is_no_shared_secret(workspace: Workspace) -> None:
    mine = Ed25519PrivateKey.generate()
    row = issue_signing_key(
        workspace=workspace, name="Server", algorithm=WidgetKeyAlgorithm.EDDSA, public_key=public_pem(mine)
    ).signing_key
    claims = {"sub": "u-1", "aud": workspace.public_id, "exp": NOW.timestamp() + 60}
    good = jwt.encode(claims, private_pem(mine), algorithm="EdDSA", headers={"kid": row.public_id})
    assert verify(good, workspace).external_user_id == "u-1"
    header = json.dumps({"alg": "HS256", "kid": row.public_id}).encode()
    with pytest.raises(Unauthenticated):
        verify(forge(header, json.dumps(claims).encode(), row.material), workspace)
    another = jwt.encode(claims, private_pem(ED), algorithm="EdDSA", headers={"kid": row.public_id})
    with pytest.raises(Unauthenticated):
        verify(another, workspace)


@pytest.mark.parametrize("text", ["", "hello", "\x00", public_pem(RSA), private_pem(ED)])
def test_only_an_ed25519_public_key_is_taken(workspace: Workspace, text: str) -> None:
    with pytest.raises(Invalid):
        issue_signing_key(workspace=workspace, name="Server", algorithm=WidgetKeyAlgorithm.EDDSA, public_key=text)


def test_a_jti_counts_once_and_only_as_long_as_it_could_be_used_again(
    customer: Customer, workspace: Workspace, other_workspace_id: UUID
) -> None:
    once = customer.sign(jti="n-1")
    assert verify(once, workspace)
    with pytest.raises(Unauthenticated) as refusal:
        verify(once, workspace)
    assert refusal.value.stable_code == "widget-token-reused"
    with in_workspace(other_workspace_id):
        other = Customer(Workspace.objects.get())
        assert verify(other.sign(jti="n-1"), other.workspace), "another workspace counts for itself"
    later = NOW + timedelta(minutes=12)
    verify(customer.sign(jti="n-2", exp=(later + SECOND).timestamp()), workspace, later)
    assert SpentWidgetToken.objects.count() == 1
    again = customer.sign()
    assert verify(again, workspace) == verify(again, workspace), "without a jti it may be shown until it expires"


def test_a_refused_token_does_not_spend_its_jti(customer: Customer, workspace: Workspace) -> None:
    with pytest.raises(Unauthenticated):
        verify(customer.sign(jti="n-3", email="nobody"), workspace)
    assert verify(customer.sign(jti="n-3"), workspace)


def test_keys_rotate_two_at_a_time(customer: Customer, workspace: Workspace) -> None:
    newer = Customer(workspace)
    assert verify(customer.sign(), workspace) == verify(newer.sign(), workspace)
    with pytest.raises(Conflict):
        issue_signing_key(workspace=workspace, name="Server", algorithm=WidgetKeyAlgorithm.HS256)
    revoke_signing_key(signing_key=customer.row, now=NOW)
    with pytest.raises(Unauthenticated):
        verify(customer.sign(), workspace)
    assert verify(newer.sign(), workspace)
    assert verify(Customer(workspace).sign(), workspace)


def test_the_database_itself_holds_no_third_key(customer: Customer, workspace: Workspace) -> None:
    Customer(workspace)
    with pytest.raises(IntegrityError), transaction.atomic():
        WidgetSigningKey.objects.create(workspace=workspace, slot=1, algorithm="HS256", material="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        WidgetSigningKey.objects.create(workspace=workspace, slot=3, algorithm="HS256", material="x")


def test_a_secret_is_sealed_and_opens_only_in_its_own_row(customer: Customer, workspace: Workspace) -> None:
    other = Customer(workspace)
    assert customer.secret not in customer.row.material
    WidgetSigningKey.objects.filter(pk=customer.row.pk).update(material=other.row.material)
    with pytest.raises(Unavailable):
        verify(customer.sign(), workspace)


def test_a_signed_person_is_found_by_id_first_and_by_mail_when_new(customer: Customer, workspace: Workspace) -> None:
    known = Principal.objects.create(workspace=workspace, email="ada@example.com")
    first = identify(identity=verify(customer.sign(), workspace), workspace=workspace)
    assert first == known
    moved = identify(identity=verify(customer.sign(email="new@example.com"), workspace), workspace=workspace)
    assert moved == known, "the id stays the same person when the address changes"
    new = identify(identity=verify(customer.sign(sub="u-18", email=...), workspace), workspace=workspace)
    assert new not in {known, moved}
    again = identify(
        identity=verify(customer.sign(sub="u-18", email="eve@example.com"), workspace), workspace=workspace
    )
    assert (again, again.email) == (new, "eve@example.com")


def test_an_id_that_anybody_may_claim_does_not_become_a_signed_one(customer: Customer, workspace: Workspace) -> None:
    victim = Principal.objects.create(workspace=workspace, email="victim@example.com")
    claimed = Author(source_type="widget", external_user_id="u-66", email="victim@example.com")
    assert resolve_author(workspace_id=workspace.id, author=claimed) == victim
    signed = identify(identity=verify(customer.sign(sub="u-66", email=...), workspace), workspace=workspace)
    assert signed != victim


def test_a_session_speaks_for_one_person_in_one_workspace_for_an_hour(
    workspace: Workspace, time_machine_at: Callable[[datetime], Any]
) -> None:
    person = new_id()
    with time_machine_at(NOW):
        session = issue_session(workspace_id=workspace.id, principal_id=person)
        assert read_session(session, workspace_id=workspace.id) == person
    for wrong in ("", "x", session + "x", session[:-1], "\x00", "é", session * 50):
        with pytest.raises(Unauthenticated), time_machine_at(NOW):
            read_session(wrong, workspace_id=workspace.id)
    with pytest.raises(Unauthenticated), time_machine_at(NOW):
        read_session(session, workspace_id=new_id())
    with time_machine_at(NOW + timedelta(minutes=59)):
        assert read_session(session, workspace_id=workspace.id) == person
    with pytest.raises(Unauthenticated), time_machine_at(NOW + timedelta(minutes=61)):
        read_session(session, workspace_id=workspace.id)


@pytest.fixture
def time_machine_at() -> Callable[[datetime], Any]:
    import time_machine

    return lambda moment: time_machine.travel(moment, tick=False)
