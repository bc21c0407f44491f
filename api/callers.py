"""Find out who calls: a signed-in customer (JWT of the host site), a visitor with our token, or somebody new.

Why: conversations belong to whoever started them, and tools get the customer from here, never from the model.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from errors import Unauthorized, Unavailable
from settings import Settings

COOKIE = "frontdesk_visitor"
HEADER = "x-visitor-token"
_VISITOR, _CUSTOMER = "visitor:", "customer:"
_ALGORITHM = "HS256"
_PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256", "EdDSA"]
_LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `owner` is the key of their conversations; `new_token` is set when they did not have one yet."""

    owner: str
    new_token: str | None = None


class Callers:
    """Checks credentials with the secrets of this server."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.signing_secret()
        self._jwt_secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        self._jwks = jwt.PyJWKClient(settings.jwks_url, timeout=5) if settings.jwks_url else None

    async def find(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller:
        """The caller; one without credentials is given a visitor token.

        Raises:
            Unauthorized: A bearer token is there and not valid.
        """
        authorization = headers.get("authorization")
        if authorization:
            return Caller(_CUSTOMER + await self._subject(authorization))
        for token in (headers.get(HEADER), cookies.get(COOKIE)):
            visitor = self._visitor(token)
            if visitor is not None:
                return Caller(_VISITOR + visitor)
        visitor = secrets.token_urlsafe(18)
        return Caller(
            _VISITOR + visitor, jwt.encode({"visitor": visitor}, self._secret, algorithm=_ALGORITHM)
        )

    def _visitor(self, token: str | None) -> str | None:
        """The visitor a token of ours names; anything else is as good as no token."""
        if not token:
            return None
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError:
            return None
        visitor = claims.get("visitor")
        return visitor if isinstance(visitor, str) else None

    async def _subject(self, authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        try:
            if self._jwks is not None:
                key = await asyncio.to_thread(self._jwks.get_signing_key_from_jwt, token)
                claims = jwt.decode(
                    token, key.key, algorithms=_PUBLIC_KEY_ALGORITHMS, options={"verify_aud": False}
                )
            elif self._jwt_secret is not None:
                claims = jwt.decode(
                    token, self._jwt_secret, algorithms=[_ALGORITHM], options={"verify_aud": False}
                )
            else:
                raise Unauthorized("no FRONTDESK_JWT_SECRET and no FRONTDESK_JWKS_URL is set")
        except jwt.PyJWKClientConnectionError as exc:
            raise Unavailable("the key server cannot be reached") from exc
        except jwt.PyJWTError as exc:
            raise Unauthorized(type(exc).__name__) from exc
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise Unauthorized("the token names no customer (claim sub)")
        return subject
