"""What is looked at before the body: the key, the API version, the size, the content type."""

from tests.simulation.connection import Incoming
from tests.simulation.errors import ApiError, invalid

VERSION = "2026-10-21"


def admit(incoming: Incoming, api_key: str) -> str:
    """The key of the caller, when the request may come in.

    Raises:
        ApiError: 401, 400 or 413, as the API answers.
    """
    key = _key(incoming, api_key)
    version = incoming.headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version != VERSION:
        raise invalid(
            f'anthropic-version: "{version}" is not accepted here; the simulation speaks {VERSION} only'
        )
    if incoming.is_too_large:
        raise ApiError(413, "Request exceeds the maximum allowed number of bytes.")
    is_json = incoming.headers.get("content-type", "").startswith("application/json")
    if incoming.method == "POST" and not is_json:
        raise invalid("content-type: must be application/json")
    return key


def _key(incoming: Incoming, api_key: str) -> str:
    scheme, _, key = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        hint = " The x-api-key header is not read since SDK 2." if "x-api-key" in incoming.headers else ""
        raise ApiError(401, f"authorization: header with a Bearer key is required.{hint}")
    if key != api_key:
        raise ApiError(401, "invalid bearer token")
    return key
