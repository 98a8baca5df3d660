"""Reading a signed widget token: a JWT (RFC 7519) signed with HS256 or EdDSA, checked without a database or a clock.

The library checks the signature only. Header and claims are parsed here, once and strictly: JSON that names a key twice
is refused, and times are compared with a `now` that is passed in.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import jwt
from jwt.api_jws import PyJWS
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tellback.kernel.errors import Unauthenticated

#: Clocks of two servers may differ by this much.
LEEWAY = timedelta(seconds=60)
#: The longest that a token may be good for from now on.
LONGEST = timedelta(hours=24)
MAX_CHARACTERS = 8192

Algorithm = Literal["HS256", "EdDSA"]
_jws = PyJWS(algorithms=["HS256", "EdDSA"])


def _storable(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("must not contain control characters")
    return text.strip()


Line = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
#: Seconds since 1970; a number that is one, until the year 9999.
Moment = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]


class _Header(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    alg: Algorithm
    kid: Annotated[str, Field(min_length=1, max_length=60)]
    crit: None = None


class Claims(BaseModel):
    """What a token says. Others than these are allowed and not read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    sub: Annotated[Line, Field(min_length=1)]
    aud: Line | Annotated[list[Line], Field(max_length=10)]
    exp: Moment
    iat: Moment | None = None
    nbf: Moment | None = None
    jti: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    email: Line = ""
    name: Line = ""
    company: Line = ""
    plan: Annotated[Line, Field(max_length=40)] = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What a token's signature is checked with: the secret of HS256, or the public key (PEM) of EdDSA."""

    algorithm: Algorithm
    material: str


def key_id_of(token: str) -> str:
    """The `kid` of a token's header, unverified. Raises `Unauthenticated` when the token is not one of ours in form."""
    if len(token) > MAX_CHARACTERS:
        raise malformed(f"is longer than {MAX_CHARACTERS} characters")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise malformed("has not the three parts of a JWT")
    try:
        return _Header.model_validate(_object(urlsafe_b64decode(parts[0] + "==="))).kid
    except ValidationError as error:
        raise malformed(_first(error, "header")) from None
    except ValueError as error:
        raise malformed(str(error)) from None


def read_token(token: str, *, key: Key, audience: str, now: datetime) -> Claims:
    """The claims of a token that this key signed for this audience and that is good now.

    Raises `Unauthenticated` otherwise, with a code that says why. The algorithm is the key's, whatever the token says.
    """
    key_id_of(token)
    try:
        payload = _jws.decode(token, key.material, algorithms=[key.algorithm])
    except jwt.PyJWTError as error:
        raise Unauthenticated(
            "The token's signature does not fit the key that its kid names.", code="widget-token-signature"
        ) from error
    try:
        claims = Claims.model_validate(_object(payload))
    except ValidationError as error:
        raise malformed(_first(error, "claim")) from None
    except ValueError as error:
        raise malformed(str(error)) from None
    _check_audience(claims, audience)
    _check_times(claims, now.timestamp())
    return claims


def _check_audience(claims: Claims, audience: str) -> None:
    stated = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if audience not in stated:
        raise Unauthenticated(f"The token's aud must be {audience}.", code="widget-token-audience")


def _check_times(claims: Claims, now: float) -> None:
    leeway = LEEWAY.total_seconds()
    if now > claims.exp + leeway:
        raise Unauthenticated("The token has expired. Sign a new one.", code="widget-token-expired")
    if claims.exp > now + LONGEST.total_seconds() + leeway:
        raise Unauthenticated("The token's exp may be at most 24 hours ahead.", code="widget-token-claims")
    if max(claims.iat or 0, claims.nbf or 0) > now + leeway:
        raise Unauthenticated("The token is from the future. Check the server's clock.", code="widget-token-claims")


def malformed(reason: str) -> Unauthenticated:
    """The refusal of something that is not a token as we want it."""
    return Unauthenticated(f"The widget token {reason}.", code="widget-token-malformed")


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object that names nothing twice. Raises `ValueError`."""
    try:
        value = json.loads(raw, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except json.JSONDecodeError:
        raise ValueError("does not hold JSON") from None
    if not isinstance(value, dict):
        raise ValueError("does not hold a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("names a claim twice")
    return found


def _first(error: ValidationError, what: str) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = str(problem["loc"][0]) if problem["loc"] else what
    if problem["type"] == "missing":
        return f"has no {what} {place}"
    return f"has a {what} {place} that is not right: {problem['msg']}"
