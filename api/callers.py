"""Find out who calls: a signed-in customer (JWT of the host site), a visitor with our token, or somebody new.

Why: conversations belong to whoever started them, and tools get the customer from here, never from the model.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Request
from fastapi.responses import Response

from errors import ConfigError, Unauthorized, Unavailable
from settings import Settings

COOKIE = "frontdesk_visitor"
VISITOR_COOKIE_DAYS = 180
HEADER = "x-visitor-token"
_VISITOR, _CUSTOMER = "visitor:", "customer:"
_ALGORITHM = "HS256"
_PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256", "EdDSA"]
_LONGEST_SUBJECT = 150
_CLOCK_SKEW_S = 30
# When a token was issued (iat) is no reason to refuse it, RFC 7519, 4.1.6: from when on and until when it holds (nbf, exp) is.
_NOT_CHECKED: jwt.types.Options = {"verify_aud": False, "verify_iat": False}
_KEYS_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `owner` is the key of their conversations; `new_token` is set when they did not have one yet."""

    owner: str
    new_token: str | None = None

    @property
    def is_visitor(self) -> bool:
        """Whether it is nobody that the host site has signed in."""
        return self.owner.startswith(_VISITOR)


class Callers:
    """Checks credentials with the secrets of this server."""

    def __init__(self, settings: Settings) -> None:
        # Its own key, so that one secret used for two things does not make one token good for both.
        self._visitor_key = hashlib.sha256(f"visitor:{settings.signing_secret()}".encode()).digest()
        self._jwt_secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        self._jwks = (
            jwt.PyJWKClient(settings.jwks_url, timeout=_KEYS_TIMEOUT_S) if settings.jwks_url else None
        )

    async def find(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller:
        """The caller; one without credentials is given a visitor token.

        Raises:
            Unauthorized: The header Authorization is there and does not name a customer.
            Unavailable: The key server cannot be reached.
        """
        authorization = headers.get("authorization")
        if authorization is not None:
            return Caller(_CUSTOMER + await self._subject(authorization))
        for token in (headers.get(HEADER), cookies.get(COOKIE)):
            visitor = self._visitor(token)
            if visitor is not None:
                return Caller(_VISITOR + visitor)
        visitor = secrets.token_urlsafe(18)
        token = jwt.encode({"visitor": visitor}, self._visitor_key, algorithm=_ALGORITHM)
        return Caller(_VISITOR + visitor, token)

    def _visitor(self, token: str | None) -> str | None:
        """The visitor a token of ours names; anything else is as good as no token."""
        if not token:
            return None
        try:
            claims = jwt.decode(token, self._visitor_key, algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError:
            return None
        visitor = claims.get("visitor")
        return visitor if isinstance(visitor, str) else None

    async def _subject(self, authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        try:
            key, algorithms = await self._key(token)
            claims = jwt.decode(token, key, algorithms=algorithms, options=_NOT_CHECKED, leeway=_CLOCK_SKEW_S)
        except jwt.PyJWTError as exc:
            raise Unauthorized(type(exc).__name__) from exc
        subject = claims.get("sub")
        if isinstance(subject, str) and _is_customer(subject):
            return subject
        raise Unauthorized("the token names no customer (claim sub)")

    async def _key(self, token: str) -> tuple[str | jwt.PyJWK, list[str]]:
        """The key that must have signed this token, and the algorithms that go with it.

        Raises:
            Unauthorized: No key is set up here. Unavailable: The key server cannot be reached, or talks nonsense.
        """
        if self._jwks is not None:
            try:
                key = await asyncio.to_thread(self._jwks.get_signing_key_from_jwt, token)
            except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError) as exc:
                raise Unavailable(f"key server: {type(exc).__name__}", code="keys_unavailable") from exc
            return key, _PUBLIC_KEY_ALGORITHMS
        if self._jwt_secret is not None:
            return self._jwt_secret, [_ALGORITHM]
        raise Unauthorized("no FRONTDESK_JWT_SECRET and no FRONTDESK_JWKS_URL is set")


def customer_token(settings: Settings, customer: str, days: int) -> str:
    """A token that signs this customer in for so many days, as the host site would make it; for trying the desk out.

    Raises:
        ConfigError: No secret is set that this server checks tokens with, or no customer can have this id.
    """
    if settings.jwks_url is not None or settings.jwt_secret is None:
        raise ConfigError(
            "setting FRONTDESK_JWT_SECRET: a token is signed with it; set it to 16 characters or more, here and on the server, "
            "and leave FRONTDESK_JWKS_URL out"
        )
    if not _is_customer(customer) or customer != customer.strip():
        raise ConfigError(
            f"customer {customer!r}: an id has 1 to {_LONGEST_SUBJECT} printable characters and no spaces around it"
        )
    now = datetime.now(UTC)
    claims = {"sub": customer, "iat": now, "exp": now + timedelta(days)}
    return jwt.encode(claims, settings.jwt_secret.get_secret_value(), algorithm=_ALGORITHM)


def customer_owner(customer: str) -> str:
    """The key of this customer's conversations."""
    return _CUSTOMER + customer


def visitor_owner(settings: Settings, visitor: str) -> str:
    """The key of a visitor's conversations: of the id, or of the token that their browser or app keeps.

    Raises:
        ConfigError: It is a token, and not one that this desk signed.
    """
    if "." not in visitor:
        return _VISITOR + visitor
    found = Callers(settings)._visitor(visitor)  # noqa: SLF001 - the same file
    if found is None:
        raise ConfigError("visitor: this token was not signed with this desk's secret (FRONTDESK_SECRET)")
    return _VISITOR + found


def _is_customer(subject: str) -> bool:
    return 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()


def with_token(response: Response, caller: Caller, request: Request) -> Response:
    """The response, with the token of a caller who did not have one yet as cookie and as header."""
    if caller.new_token is not None:
        response.headers[HEADER] = caller.new_token
        response.set_cookie(
            COOKIE,
            caller.new_token,
            max_age=VISITOR_COOKIE_DAYS * 86_400,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return response
