"""What a specialist is told: stable text first and alike from turn to turn, facts of the turn last."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from engine.base import EngineRequest
from engine.claude_request import parameters
from tests.router.room import Step, Talk, Thinker, claude_engines, desk, label, said

LEAF = "How much to insure a 2022 Nissan Leaf with 20000 miles? I am 34."


def _echo(request: EngineRequest) -> list[Step]:
    return said(f"Answer to: {request.message}. " * 3)


def _talk(*labels: str, language: str = "en") -> tuple[Talk, Thinker]:
    """A conversation whose messages get these labels, in turn and again and again."""
    number = 0

    def labelling(_: EngineRequest) -> list[Step]:
        nonlocal number
        number += 1
        return label(labels[(number - 1) % len(labels)], 0.0, language=language)

    answering = Thinker(_echo)
    return Talk(desk(claude_engines(answering, Thinker(labelling)), speculate=False)), answering


def _prefix(request: EngineRequest) -> list[str]:
    """Tools, system and history blocks as they are cached."""
    sent: dict[str, Any] = parameters(request)
    history = sent["messages"][: -1 - bool(request.facts)]
    blocks = [
        *sent.get("tools", []),
        *sent["system"],
        *(block for message in history for block in message["content"]),
    ]
    return [
        json.dumps({name: value for name, value in block.items() if name != "cache_control"})
        for block in blocks
    ]


def _day(number: int) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=number)


async def test_a_long_conversation_moves_its_window_only_now_and_then() -> None:
    """Sixty turns over two months and in two languages: nearly every request continues the one before."""
    talk, answering = _talk("product_info")
    for number in range(60):
        talk.desk = replace(talk.desk, utcnow=partial(_day, number))
        await talk.say(
            f"¿Y el caso número {number}?" if number % 2 else f"And what about case number {number}?"
        )
    prefixes = [_prefix(request) for request in answering.requests]
    moved = [after[: len(before)] != before for before, after in pairwise(prefixes)]

    assert len({request.facts for request in answering.requests}) == 60
    assert sum(moved) == 4
    assert max(len(request.history) for request in answering.requests) == 62


async def test_specialists_do_not_disturb_each_others_prefix() -> None:
    """A side question goes to another prompt; the quote's own requests still continue each other."""
    talk, answering = _talk("quote", "product_info")
    for text in (
        LEAF,
        "does it cover hail?",
        "how do I buy it?",
        "and theft?",
        "is it still valid?",
        "and fire?",
    ):
        await talk.say(text)
    by_specialist: dict[str, list[list[str]]] = {}
    for request in answering.requests:
        by_specialist.setdefault(request.system[-1], []).append(_prefix(request))

    assert [len(own) for own in by_specialist.values()] == [3, 3]
    for own in by_specialist.values():
        for before, after in pairwise(own):
            assert after[: len(before)] == before


async def test_nothing_of_the_turn_stands_before_the_mark() -> None:
    """A date or a name in the cached part would make every request pay for all of it."""
    talk, answering = _talk("quote")
    await talk.say(LEAF)
    request = answering.requests[0]

    assert "2026-11-22" in request.facts
    assert "2026-11-22" not in "".join(_prefix(request))


@pytest.mark.parametrize(("language", "name"), [("es", "Spanish"), ("de", "German"), ("zu", "zu")])
async def test_the_language_of_the_answer_is_told(language: str, name: str) -> None:
    """Haiku has heard which language it is; the specialist writes in it."""
    talk, answering = _talk("greeting", language=language)
    await talk.say("hm")

    assert f"Answer in: {name}" in answering.requests[0].facts


async def test_prices_and_the_open_form_are_told() -> None:
    """Claude goes on where the local engine stopped, and the other way round."""
    local = Talk(desk())
    await local.say(LEAF)
    await local.say("and for a Tesla Model 3?")
    answering = Thinker(_echo)
    local.desk = desk(
        claude_engines(answering, Thinker(lambda _: label("quote"))),
        speculate=False,
        shelf=local.desk.records,
    )
    await local.say("how much was the first one again?")
    facts = answering.requests[0].facts

    assert "known: driver_age 34, make Tesla, model Model 3; missing: year, mileage" in facts
    assert "2022 Nissan Leaf, 20000 miles, driver aged 34" in facts


async def test_other_wishes_in_the_same_message_are_told() -> None:
    """A message with two questions gets two answers."""
    answering = Thinker(_echo)
    labelling = Thinker(lambda _: label("quote", 0.0, also=["product_info", "escalate"]))
    talk = Talk(desk(claude_engines(answering, labelling), speculate=False))
    await talk.say("price for my car, does it cover hail, and can somebody call me?")
    facts = answering.requests[0].facts

    assert "a question about our insurance or your policy, a person from our team" in facts
    assert "Offer a person in this answer: yes" in facts
