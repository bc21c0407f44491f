"""Two engines, one behind the other: the customer gets one answer, whatever the first one does."""

from dataclasses import replace

import pytest

from engine.base import Done, Metered, Piece, Round, StopReason, Text, ToolUse, Trouble
from engine.failover import Failover
from engine.resilient import Patience, Resilient
from errors import EngineDown, EngineError
from tests.engine.calls import REQUEST, SONNET, SPENT, Scripted, done_of, heard, text_of, words

SECOND: list[Piece] = [Text("Basic answer."), Done("end_turn", "local", "local", 1)]
DOWN = EngineDown("down", fault="upstream_5xx", request_id="req_7")


def _pair(*script: Piece | Exception) -> tuple[Failover, Scripted]:
    second = Scripted([SECOND])
    return Failover(Scripted([script]), second), second


async def test_a_good_answer_is_the_first_engines() -> None:
    """The second one is not even asked."""
    failover, second = _pair(*words("Hello."))

    assert text_of(await heard(failover)) == "Hello."
    assert second.requests == []


async def test_a_failure_before_the_first_word_is_answered_by_the_second() -> None:
    """The customer gets a whole answer, and the log says why it is another one."""
    failover, _ = _pair(DOWN)
    pieces = await heard(failover)

    assert text_of(pieces) == "Basic answer."
    assert pieces[0] == Trouble("upstream_5xx", request_id="req_7")
    assert done_of(pieces).engine == "local"


async def test_a_failure_after_the_first_word_ends_the_answer() -> None:
    """Two beginnings under each other would be worse than an honest end."""
    failover, second = _pair(Metered(SPENT), Text("Hel"), DOWN)
    pieces = await heard(failover)

    assert text_of(pieces) == "Hel"
    done = done_of(pieces)
    assert (done.stop_reason, done.usage, done.engine) == ("cut", SPENT, "claude")
    assert second.requests == []


@pytest.mark.parametrize("stop", ["refusal", "empty", "max_tokens"])
async def test_an_end_without_a_word_is_answered_by_the_second(stop: StopReason) -> None:
    """Never an empty bubble; what the useless call has cost is told."""
    failover, _ = _pair(Metered(SPENT), Done(stop, "claude", SONNET, 5, SPENT, "req_8"))
    pieces = await heard(failover)

    assert text_of(pieces) == "Basic answer."
    assert Trouble(f"stop_{stop}", request_id="req_8") in pieces
    told = [piece for piece in pieces if isinstance(piece, Done)]
    assert (told[0].stop_reason, told[0].usage) == ("failed", SPENT)


async def test_a_refusal_in_the_middle_ends_the_answer() -> None:
    """What was shown stays; a second answer below it would contradict it."""
    failover, second = _pair(Text("Well"), Done("refusal", "claude", SONNET, 5, SPENT))
    pieces = await heard(failover)

    assert done_of(pieces).stop_reason == "cut"
    assert second.requests == []


async def test_running_out_of_tokens_in_the_middle_is_an_end() -> None:
    """The loop closes the sentence; nothing else follows."""
    failover, _ = _pair(Text("Well"), Done("max_tokens", "claude", SONNET, 5, SPENT))

    assert done_of(await heard(failover)).stop_reason == "max_tokens"


async def test_a_tool_request_counts_as_a_word() -> None:
    """It may have been run: the second engine would run it again."""
    failover, second = _pair(ToolUse("t1", "get_quote", {}), DOWN)

    assert done_of(await heard(failover)).stop_reason == "cut"
    assert second.requests == []


async def test_no_cost_is_told_twice() -> None:
    """Three tries that failed and the local answer: three costs in the books."""
    busy = EngineDown("down", fault="stream_cut")
    first = Resilient(Scripted([[Metered(SPENT), busy]]), Patience(retry_total_s=1.0))
    pieces = await heard(Failover(first, Scripted([SECOND])))
    told = [piece.usage for piece in pieces if isinstance(piece, Done) and piece.engine == "claude"]

    assert told == [SPENT, SPENT]
    assert text_of(pieces) == "Basic answer."


async def test_an_answer_that_the_second_has_begun_it_also_ends() -> None:
    """Two voices in one answer, and a history that the first engine never wrote, help nobody."""
    first, second = Scripted([words("Hello.")]), Scripted([SECOND])
    begun = Round("", (), (), native=None)
    assert text_of(await heard(Failover(first, second), replace(REQUEST, rounds=(begun,)))) == "Basic answer."
    assert first.requests == []

    own = Round("", (), (), native=[])
    assert text_of(await heard(Failover(first, second), replace(REQUEST, rounds=(own,)))) == "Hello."


async def test_when_both_fail_the_turn_is_told() -> None:
    """The turn closes with an honest notice instead of silence."""
    failover = Failover(Scripted([[DOWN]]), Scripted([[DOWN]]))

    with pytest.raises(EngineError):
        await heard(failover, REQUEST)
