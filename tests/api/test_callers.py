"""A signed-in customer is whoever the host site's token names; anything doubtful is refused."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from api.callers import Caller, Callers, customer_token
from errors import ConfigError, Unauthorized, Unavailable
from settings import Settings
from tests.serving import Running, client_of, local_settings, running

SECRET = "the secret that the host site signs with"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KEYS: dict[str, PrivateKey] = {
    "RS256": RSA_KEY,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
NO_KEY: Any = None


def hs256(claims: dict[str, Any], secret: str = SECRET) -> str:
    """A token as the host site makes it."""
    return jwt.encode(claims, secret, algorithm="HS256")


def bearer(token: str) -> dict[str, str]:
    """The header."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def desk(folder: Path, **changes: str) -> AsyncIterator[Running]:
    """A desk that takes the host site's tokens."""
    async with running(local_settings(folder, **changes)) as server:
        yield server


async def test_a_customers_token_opens_their_conversations_and_nobody_elses(tmp_path: Path) -> None:
    """Two customers on one computer do not read each other's mail."""
    async with desk(tmp_path, FRONTDESK_JWT_SECRET=SECRET) as server, AsyncExitStack() as stack:
        ann, bob, again = [
            await stack.enter_async_context(client_of(server.url, bearer(hs256({"sub": sub, **more}))))
            for sub, more in (("ann", {}), ("bob", {}), ("ann", {"exp": time.time() + 60, "aud": "shop"}))
        ]
        reply = (await ann.post("/chat", json={"message": "hello"})).json()
        path = f"/chat/{reply['conversation_id']}"

        assert "visitor_token" not in reply
        assert (await again.get(path)).status_code == 200
        assert (await bob.get(path)).status_code == 404
        async with client_of(server.url) as visitor:
            assert (await visitor.get(path)).status_code == 404
        assert await server.house.event_log.owner(reply["conversation_id"]) == "customer:ann"


@pytest.mark.parametrize(
    "header",
    [
        bearer(hs256({"sub": "ann"}, "another secret that is long enough to sign")),
        bearer(hs256({"sub": "ann", "exp": time.time() - 60})),
        bearer(hs256({"sub": "ann", "nbf": time.time() + 3600})),
        bearer(jwt.encode({"sub": "ann"}, NO_KEY, algorithm="none")),
        bearer(jwt.encode({"sub": "ann"}, RSA_KEY, algorithm="RS256")),
        bearer(jwt.encode({"sub": "ann"}, SECRET * 2, algorithm="HS512")),
        bearer(hs256({"name": "ann"})),
        bearer(hs256({"sub": ""})),
        bearer(hs256({"sub": "x" * 151})),
        bearer(hs256({"sub": "ann\u0000bob"})),
        bearer(hs256({"sub": "half \ud800"})),
        bearer(hs256({"visitor": "someone"})),
        bearer("nonsense"),
        bearer(""),
        {"Authorization": ""},
        {"Authorization": "Basic YW5uOmFubg=="},
        {"Authorization": hs256({"sub": "ann"})},
    ],
    ids=[
        "secret", "expired", "early", "none", "rs256", "hs512", "no sub", "empty sub", "long sub",
        "control", "half", "visitor", "nonsense", "empty", "blank", "basic", "bare",
    ],
)  # fmt: skip
async def test_a_doubtful_token_is_refused(header: dict[str, str], tmp_path: Path) -> None:
    """Nobody becomes a customer with a token that the host site did not sign for now."""
    callers = Callers(local_settings(tmp_path, FRONTDESK_JWT_SECRET=SECRET))

    with pytest.raises(Unauthorized):
        await callers.find({name.lower(): value for name, value in header.items()}, {})


async def test_a_clock_that_is_a_little_wrong_does_not_lock_customers_out(tmp_path: Path) -> None:
    """Host sites' clocks differ by seconds."""
    callers = Callers(local_settings(tmp_path, FRONTDESK_JWT_SECRET=SECRET))
    token = hs256({"sub": "ann", "iat": time.time() + 10, "nbf": time.time() + 10, "exp": time.time() - 10})

    assert (await callers.find({"authorization": f"bearer {token}"}, {})).owner == "customer:ann"


@pytest.mark.fault("P12")
async def test_a_clock_that_was_set_back_does_not_lock_customers_out(tmp_path: Path) -> None:
    """Whoever signed in a moment before the computer's time was put right would have to sign in again."""
    callers = Callers(local_settings(tmp_path, FRONTDESK_JWT_SECRET=SECRET))
    token = hs256({"sub": "ann", "iat": time.time() + 3600, "exp": time.time() + 7200})

    assert (await callers.find({"authorization": f"Bearer {token}"}, {})).owner == "customer:ann"


async def test_a_sub_cannot_pose_as_a_visitor(tmp_path: Path) -> None:
    """A host site whose customers choose their names keeps its visitors safe."""
    callers = Callers(local_settings(tmp_path, FRONTDESK_JWT_SECRET=SECRET))
    caller = await callers.find({"authorization": f"Bearer {hs256({'sub': 'visitor:x'})}"}, {})

    assert caller.owner == "customer:visitor:x"


async def test_one_secret_for_two_things_makes_no_token_good_for_both(tmp_path: Path) -> None:
    """Somebody who sets both secrets to the same words has not opened a door."""
    callers = Callers(local_settings(tmp_path, FRONTDESK_JWT_SECRET=SECRET, FRONTDESK_SECRET=SECRET))
    forged = hs256({"visitor": "somebody-else"})
    caller = await callers.find({"x-visitor-token": forged}, {})

    assert caller.new_token is not None
    assert caller.owner != "visitor:somebody-else"


async def test_a_token_made_here_is_taken_here() -> None:
    """Who tries the desk out signs in as the host site's customers do."""
    settings = Settings.read(FRONTDESK_JWT_SECRET=SECRET)
    caller = await Callers(settings).find(
        {"authorization": f"Bearer {customer_token(settings, 'C-1001', days=1)}"}, {}
    )

    assert caller == Caller("customer:C-1001")


@pytest.mark.parametrize(
    ("customer", "changes"),
    [
        ("C-1001", {}),
        ("C-1001", {"FRONTDESK_JWT_SECRET": SECRET, "FRONTDESK_JWKS_URL": "http://127.0.0.1/keys"}),
        *((customer, {"FRONTDESK_JWT_SECRET": SECRET}) for customer in ("", " C-1", "a\x00", "x" * 151)),
    ],
)
def test_a_token_that_would_not_be_taken_is_not_made(customer: str, changes: dict[str, str]) -> None:
    """Somebody would look for the mistake in the desk."""
    with pytest.raises(ConfigError):
        customer_token(Settings.read(**changes), customer, days=1)


async def test_without_a_secret_no_token_is_taken(tmp_path: Path) -> None:
    """A desk that was not told how to check tokens does not guess, and says 401 in the contract's shape."""
    async with desk(tmp_path) as server:
        response = await server.client.post(
            "/chat", json={"message": "hello"}, headers=bearer(hs256({"sub": "ann"}))
        )

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorized"
    assert response.headers["www-authenticate"] == "Bearer"


class KeyServer:
    """Serves public keys on loopback, or whatever else `body` holds."""

    def __init__(self) -> None:
        keys = []
        for name, key in KEYS.items():
            made = json.loads(get_default_algorithms()[name].to_jwk(key.public_key()))
            keys.append({**made, "kid": name, "use": "sig"})
        self.body = json.dumps({"keys": keys}).encode()
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys.json"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


async def _owner(callers: Callers, token: str) -> str:
    return (await callers.find({"authorization": f"Bearer {token}"}, {})).owner


async def test_public_keys_are_fetched_once_and_checked(tmp_path: Path) -> None:
    """A host site with an identity provider shares no secret with us."""
    with KeyServer() as keys:
        callers = Callers(local_settings(tmp_path, FRONTDESK_JWKS_URL=keys.url))
        for name, key in KEYS.items():
            token = jwt.encode({"sub": f"ann-{name}"}, key, algorithm=name, headers={"kid": name})
            assert await _owner(callers, token) == f"customer:ann-{name}"
        assert keys.asked == 1


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"sub": "ann"}, RSA_KEY, algorithm="RS256", headers={"kid": "unknown"}),
        jwt.encode({"sub": "ann"}, RSA_KEY, algorithm="RS256"),
        jwt.encode({"sub": "ann"}, KEYS["ES256"], algorithm="ES256", headers={"kid": "RS256"}),
        jwt.encode({"sub": "ann"}, KEYS["EdDSA"], algorithm="EdDSA", headers={"kid": "ES256"}),
        jwt.encode({"sub": "ann", "exp": 1}, RSA_KEY, algorithm="RS256", headers={"kid": "RS256"}),
        jwt.encode({"sub": "ann"}, SECRET, algorithm="HS256", headers={"kid": "RS256"}),
        jwt.encode({"sub": "ann"}, NO_KEY, algorithm="none", headers={"kid": "RS256"}),
        "nonsense",
    ],
    ids=["unknown kid", "no kid", "wrong key", "wrong type", "expired", "hs256", "none", "nonsense"],
)
async def test_a_token_that_no_public_key_signed_is_refused(token: str, tmp_path: Path) -> None:
    """The tricks with key ids and algorithms do not work."""
    with KeyServer() as keys:
        callers = Callers(local_settings(tmp_path, FRONTDESK_JWKS_URL=keys.url))
        with pytest.raises(Unauthorized):
            await _owner(callers, token)


@pytest.mark.parametrize("body", [b"<html>sorry</html>", b"{}", b'{"keys": []}', b"\xff"])
async def test_a_key_server_that_talks_nonsense_is_our_trouble_not_the_customers(
    body: bytes, tmp_path: Path
) -> None:
    """A customer with a good token is asked to come back, and not told that their token is bad."""
    token = jwt.encode({"sub": "ann"}, RSA_KEY, algorithm="RS256", headers={"kid": "RS256"})
    with KeyServer() as keys:
        keys.body = body
        callers = Callers(local_settings(tmp_path, FRONTDESK_JWKS_URL=keys.url))
        with pytest.raises(Unavailable):
            await _owner(callers, token)


async def test_a_key_server_that_is_away_gives_503(tmp_path: Path) -> None:
    """As above, over HTTP, with a time to come back."""
    token = jwt.encode({"sub": "ann"}, RSA_KEY, algorithm="RS256", headers={"kid": "RS256"})
    async with desk(tmp_path, FRONTDESK_JWKS_URL="http://127.0.0.1:9/keys") as server:
        response: httpx2.Response = await server.client.post(
            "/chat", json={"message": "hello"}, headers=bearer(token)
        )

    assert (response.status_code, response.json()["error"]["code"]) == (503, "keys_unavailable")
    assert int(response.headers["retry-after"]) > 0
