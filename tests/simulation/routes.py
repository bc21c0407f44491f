"""Which path is answered by what."""

from urllib.parse import parse_qs, urlsplit

from tests.simulation import models
from tests.simulation.acts import whole
from tests.simulation.answers import Answers, Staged
from tests.simulation.connection import Incoming
from tests.simulation.content import JsonObject
from tests.simulation.door import admit
from tests.simulation.errors import ApiError
from tests.simulation.recorded import Recorded

_MODELS = "/v1/models"


def answer(answers: Answers, incoming: Incoming, recorded: Recorded, api_key: str) -> Staged:
    """The answer to one request.

    Raises:
        ApiError: The request is refused.
        Exception: Whatever the brain raises.
    """
    key = admit(incoming, api_key)
    target = urlsplit(incoming.path)
    match incoming.method, target.path:
        case "POST", "/v1/messages":
            return answers.messages(key, recorded)
        case "POST", "/v1/messages/count_tokens":
            return answers.count_tokens(key, recorded)
        case "GET", path if path == _MODELS:
            return Staged(whole(_page(parse_qs(target.query))))
        case "GET", path if path.startswith(f"{_MODELS}/"):
            return Staged(whole(models.find(path.removeprefix(f"{_MODELS}/")).info()))
        case method, path:
            raise ApiError(404, f"{method} {path}: no such endpoint in the simulation")


def _page(query: dict[str, list[str]]) -> JsonObject:
    """One page of the catalogue."""
    names = list(models.CATALOGUE)
    after = query.get("after_id", [""])[0]
    start = names.index(after) + 1 if after in names else 0
    limit = int(query.get("limit", ["20"])[0])
    page = names[start : start + limit]
    return {
        "data": [models.CATALOGUE[name].info() for name in page],
        "has_more": start + limit < len(names),
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }
