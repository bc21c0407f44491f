"""Passages are found by what they mean; whatever the vendor does, the desk goes on, and ops see it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from knowledge import meaning, voyage
from knowledge.meaning import Meaning
from knowledge.passages import Passage
from knowledge.vectorfile import VectorFile, read_vectors
from knowledge.voyage import Voyage
from tests.embeddings import KEY, Vendor, as_json, vendor
from tests.waiting import until

SAME = {"juice": "charge", "nicked": "stolen", "cargar": "carga"}


def _passage(number: int, text: str, language: str = "en") -> Passage:
    return Passage(f"https://a/{number}#1", "Help", f"https://a/{number}", language, text)


CHARGE = _passage(1, "How to charge at home")
STOLEN = _passage(2, "When the car was stolen")
CARGA = _passage(3, "Cómo se carga en casa", "es")
PASSAGES = (CHARGE, STOLEN, CARGA)


@asynccontextmanager
async def _learning(
    there: Vendor,
    folder: Path,
    passages: Sequence[Passage] = PASSAGES,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Meaning]:
    """A search by meaning that learns these passages."""
    asked, shelf = Voyage(there.url, KEY, "voyage-4"), VectorFile(folder / "voyage-4.npz")
    async with Meaning(asked, shelf, 0.3, clock) as made, asyncio.TaskGroup() as group:
        made.take(passages)
        running = group.create_task(made.run())
        yield made
        running.cancel()


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _learned(made: Meaning) -> Meaning:
    await until(lambda: made.state == "ok")
    return made


async def _sources(made: Meaning, query: str, language: str = "en", limit: int = 5) -> list[str]:
    return [passage.source for passage in await made.search(query, language, limit)]


async def test_other_words_of_the_same_meaning_find_the_passage(tmp_path: Path) -> None:
    """Customers do not know the company's words."""
    async with vendor(same=SAME) as there, _learning(there, tmp_path) as made:
        await _learned(made)

        assert (await _sources(made, "juice at home"))[0] == CHARGE.source
        assert (await _sources(made, "nicked car"))[0] == STOLEN.source
        assert await _sources(made, "nicked car charge home at", limit=1) in (
            [CHARGE.source],
            [STOLEN.source],
        )


async def test_a_question_that_is_like_nothing_finds_nothing(tmp_path: Path) -> None:
    """An honest "I do not know" must stay possible: something is always nearest."""
    async with vendor() as there, _learning(there, tmp_path) as made:
        await _learned(made)

        assert await _sources(made, "weather tomorrow in Denver") == []


async def test_the_answer_is_in_the_customers_language_if_there_is_one(tmp_path: Path) -> None:
    """A Spanish question is not answered with an English article while there is a Spanish one."""
    async with vendor(same=SAME) as there, _learning(there, tmp_path) as made:
        await _learned(made)

        assert await _sources(made, "¿Cómo se puede cargar en mi casa?", "es") == [CARGA.source]
        assert await _sources(made, "charge at home", "de") == [CHARGE.source]


async def test_a_restart_asks_for_nothing_and_an_edit_for_what_is_new(tmp_path: Path) -> None:
    """The vendor is paid by the word, and a start must not depend on it."""
    edited = _passage(2, "When the car was stolen abroad")
    async with vendor() as there:
        for passages, asked in ((PASSAGES, 3), (PASSAGES, 3), ((CHARGE, edited), 4)):
            async with _learning(there, tmp_path, passages) as made:
                await _learned(made)
                assert await _sources(made, "charge at home") == [CHARGE.source]
            assert (
                len([text for r in there.requests if r["input_type"] == "document" for text in r["input"]])
                == asked
            )
        assert "abroad" in "".join(there.texts)
        assert len(read_vectors(tmp_path / "voyage-4.npz")) == 2


async def test_many_passages_are_asked_for_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor refuses requests that are too large."""
    monkeypatch.setattr(meaning, "BATCH", 4)
    many = [_passage(number, f"number{number} text") for number in range(10)]
    async with vendor() as there, _learning(there, tmp_path, [*many, many[0]]) as made:
        await _learned(made)

        assert [len(request["input"]) for request in there.requests] == [4, 4, 2]
        assert await _sources(made, "number7") == [many[7].source]


@pytest.mark.parametrize("content", [b"", b"no file of ours", b"PK\x03\x04 cut off"])
async def test_a_damaged_file_of_vectors_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """A power cut must not cost more than asking again."""
    (tmp_path / "voyage-4.npz").write_bytes(content)
    async with vendor() as there, _learning(there, tmp_path) as made:
        await _learned(made)

    assert len(there.texts) == 3
    assert len(read_vectors(tmp_path / "voyage-4.npz")) == 3
    assert _files(tmp_path) == ["voyage-4.npz"]


async def test_a_vendor_that_fails_at_load_is_asked_again_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk opens without it; what was learned so far is kept; the rest follows by itself."""
    monkeypatch.setattr(meaning, "BATCH", 2)
    monkeypatch.setattr(meaning, "LEARN_AGAIN_S", 0.01)
    monkeypatch.setattr(meaning, "PAUSE_S", 0.0)
    async with vendor() as there:
        there.spoil = lambda answer: as_json(answer, 200 if len(there.requests) == 1 else 429)
        async with _learning(there, tmp_path) as made:
            await until(lambda: made.state == "embedding_failed")
            assert await made.search("stolen", "en", 5) == ()
            there.spoil = None
            await _learned(made)
            assert await _sources(made, "carga en casa", "es") == [CARGA.source]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [
        line["code"] for line in lines if line["event"] == "embedding.failed" and line["during"] == "load"
    ] == ["embedding_failed"]
    assert there.texts.count("Help\nWhen the car was stolen") == 1


async def test_a_vendor_that_hangs_costs_one_short_wait_and_then_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While it is away customers get what their words find, at once; afterwards it helps again."""
    monkeypatch.setattr(voyage, "SEARCH_WITHIN_S", 0.1)
    now_s = 100.0
    async with vendor() as there, _learning(there, tmp_path, clock=lambda: now_s) as made:
        await _learned(made)
        there.goes_on.clear()
        for _ in range(3):
            assert await made.search("my secret charge", "en", 5) == ()
        states = [made.state]
        assert there.texts.count("my secret charge") == 1
        there.goes_on.set()
        now_s += meaning.PAUSE_S
        assert await _sources(made, "charge at home") == [CHARGE.source]
        states.append(made.state)
    printed = capsys.readouterr().out

    assert states == ["embedding_failed", "ok"]
    assert printed.count("embedding.failed") == 1
    assert "secret" not in printed


async def test_a_question_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers ask the same things all day; the memory for that has an end."""
    monkeypatch.setattr(meaning, "_KEPT_QUESTIONS", 2)
    async with vendor() as there, _learning(there, tmp_path) as made:
        await _learned(made)
        for query in ("charge", "stolen", "charge", "home", "charge", "stolen"):
            await made.search(query, "en", 5)

    assert [text for text in there.texts if "\n" not in text] == ["charge", "stolen", "home", "stolen"]


async def test_vectors_of_another_size_replace_the_old_ones(tmp_path: Path) -> None:
    """The vendor may change its mind; numbers of two kinds must not be compared."""
    async with vendor() as there:
        async with _learning(there, tmp_path) as made:
            await _learned(made)
            await made.search("charge at home", "en", 5)
            there.size = 128
            assert await made.search("another question", "en", 5) == ()
            assert made.state == "embedding_failed"
            made.take([*PASSAGES, _passage(4, "Something new")])
            await until(lambda: len(read_vectors(tmp_path / "voyage-4.npz")) == 1)
        async with _learning(there, tmp_path) as made:
            await _learned(made)

            assert await _sources(made, "charge at home") == [CHARGE.source]


async def test_two_articles_that_say_the_same_are_asked_for_once_and_both_found(tmp_path: Path) -> None:
    """A text that stands in two places is paid for once, and either place can be cited."""
    twice = (CHARGE, _passage(9, CHARGE.text))
    async with vendor() as there, _learning(there, tmp_path, twice) as made:
        await _learned(made)

        assert len(there.texts) == 1
        assert await _sources(made, "charge at home") == [passage.source for passage in twice]


async def test_without_passages_nothing_is_asked_for(tmp_path: Path) -> None:
    """A folder that was emptied is no failure of the vendor."""
    async with vendor() as there, _learning(there, tmp_path, ()) as made:
        await _learned(made)

        assert await made.search("charge", "en", 5) == ()
        assert there.requests == []
