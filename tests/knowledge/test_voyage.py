"""What is asked of the vendor, and what is taken from it: vectors that fit, or a failure with a kind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from errors import RemoteError
from knowledge import voyage
from knowledge.voyage import Voyage
from tests.embeddings import KEY, Answer, as_json, encoded, vendor

Spoilt = Callable[[dict[str, Any]], Answer]


async def test_texts_are_asked_for_in_one_request_and_come_back_in_order() -> None:
    """A passage would get the meaning of another one."""
    async with vendor() as there, Voyage(there.url, KEY, "voyage-4") as asked:
        vectors = await asked.of_passages(["charging at home", "towing a car", "charging at home"])
        question = await asked.of_question("towing")

    assert [(r["model"], r["input_type"], len(r["input"])) for r in there.requests] == [
        ("voyage-4", "document", 3),
        ("voyage-4", "query", 1),
    ]
    assert there.keys == [f"Bearer {KEY}"] * 2
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    assert vectors[1] @ question > 0.4 > vectors[0] @ question


def _with(change: Callable[[list[dict[str, Any]]], object]) -> Spoilt:
    def spoil(answer: dict[str, Any]) -> Answer:
        change(answer["data"])
        return as_json(answer)

    return spoil


def _put(embedding: object) -> Spoilt:
    return _with(lambda data: data[0].update(embedding=embedding))


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda _: as_json({"detail": "too fast"}, 429), "down"),
        (lambda _: as_json({"detail": "broken"}, 500), "down"),
        (lambda _: as_json({"detail": "no such model"}, 400), "refused"),
        (lambda _: as_json({"detail": "who are you"}, 401), "refused"),
        (lambda _: (200, b"<html>"), "invalid"),
        (lambda _: as_json({"data": []}), "invalid"),
        (_with(lambda data: data.pop()), "invalid"),
        (_with(lambda data: data[0].update(index=7)), "invalid"),
        (_put([0.1, 0.2]), "invalid"),
        (_put("no base64"), "invalid"),
        (_put("AAA="), "invalid"),
        (_put(encoded(np.ones(3, np.float32))), "invalid"),
        (_put(encoded(np.zeros(256, np.float32))), "invalid"),
        (_put(encoded(np.full(256, np.nan, np.float32))), "invalid"),
        (_with(lambda data: [item.update(embedding="") for item in data]), "invalid"),
    ],
)
async def test_an_answer_that_does_not_fit_is_a_failure_with_a_kind(spoil: Spoilt, kind: str) -> None:
    """A vector of nonsense would put any passage before any other."""
    async with vendor(spoil=spoil) as there, Voyage(there.url, KEY, "voyage-4") as asked:
        with pytest.raises(RemoteError) as failed:
            await asked.of_passages(["charging", "towing"])

    assert failed.value.kind == kind


async def test_a_vendor_that_does_not_answer_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer does not wait for a search that is only to help."""
    assert voyage.SEARCH_WITHIN_S == 0.4
    monkeypatch.setattr(voyage, "SEARCH_WITHIN_S", 0.1)
    async with vendor() as there, Voyage(there.url, KEY, "voyage-4") as asked:
        there.goes_on.clear()
        with pytest.raises(RemoteError) as failed:
            await asked.of_question("towing")

    assert failed.value.kind == "timeout"


async def test_a_vendor_that_is_not_there_is_a_failure_too() -> None:
    """As above, for a wrong address."""
    async with Voyage("http://127.0.0.1:1/v1", KEY, "voyage-4") as asked:
        with pytest.raises(RemoteError) as failed:
            await asked.of_question("towing")

    assert failed.value.kind == "down"
