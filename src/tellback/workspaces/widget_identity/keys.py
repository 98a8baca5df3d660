"""The keys that a customer's server signs widget tokens with: at most two at once, so that one can follow another."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.db import transaction

from tellback.kernel.errors import Conflict, FieldError, Invalid
from tellback.platform.sealing import seal, unseal
from tellback.workspaces.models import Principal, WidgetKeyAlgorithm, WidgetSigningKey, Workspace
from tellback.workspaces.widget_identity.tokens import Key

SLOTS = (1, 2)


@dataclass(frozen=True, slots=True)
class IssuedSigningKey:
    """A fresh key. `secret` is shown to a person once; None for a public key, whose secret half we never had."""

    signing_key: WidgetSigningKey
    secret: str | None


@transaction.atomic
def issue_signing_key(
    *,
    workspace: Workspace,
    name: str,
    algorithm: WidgetKeyAlgorithm,
    public_key: str = "",
    created_by: Principal | None = None,
) -> IssuedSigningKey:
    """A key beside the one that is there. HS256 makes a secret of 256 random bits; EdDSA takes your public key, PEM.

    Raises `Conflict` when two are active already, `Invalid` for a public key that is none.
    """
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    taken = set(WidgetSigningKey.objects.filter(revoked_at=None).values_list("slot", flat=True))
    free = [slot for slot in SLOTS if slot not in taken]
    if not free:
        raise Conflict("Two signing keys are active. Revoke the older one first.")
    row = WidgetSigningKey(workspace=workspace, name=name, slot=free[0], algorithm=algorithm, created_by=created_by)
    secret = None
    if algorithm == WidgetKeyAlgorithm.HS256:
        secret = secrets.token_urlsafe(32)
        row.material = seal(secret, about=row.public_id)
    else:
        row.material = _public_pem(public_key)
    row.save()
    return IssuedSigningKey(row, secret)


def _public_pem(text: str) -> str:
    try:
        key = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(
            "Paste an Ed25519 public key in PEM form, beginning with -----BEGIN PUBLIC KEY-----.",
            errors=[FieldError("/public_key", "is not an Ed25519 public key")],
        )
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_of(row: WidgetSigningKey) -> Key:
    """What signatures are checked with."""
    if row.algorithm == WidgetKeyAlgorithm.HS256:
        return Key("HS256", unseal(row.material, about=row.public_id))
    return Key("EdDSA", row.material)


def revoke_signing_key(*, signing_key: WidgetSigningKey, now: datetime) -> None:
    """Accept no more tokens of this key. People identified before stay so until their session ends, within an hour."""
    signing_key.revoked_at = signing_key.revoked_at or now
    signing_key.save(update_fields=["revoked_at"])
