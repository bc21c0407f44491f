"""Tools called by an engine: whatever goes wrong becomes a result that it can read."""

import asyncio

import pytest

from agents.loop import Run
from agents.toolcalls import MAX_CALLS, ToolCalls
from engine.base import ToolResult, ToolUse
from errors import ToolError, ToolQuestion, Unavailable
from events import Event, FaultSeen, HandoffRequested, ToolReturned
from tests.agents.scripts import echo, place, specialist, use
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool


@tool(effect="write", lead="form", values=("price",))
async def price(context: ToolContext, year: int, make: str = "any") -> ToolOutcome:
    """Price a vehicle."""
    if year < 1990:
        raise ToolError("too old", code="vehicle_too_old", field="year", limit="1990")
    return ToolOutcome(f"{context.key} {context.customer_id}", values={"price": "84.50"})


@tool(effect="read")
async def slow(context: ToolContext) -> ToolOutcome:
    """Take for ever."""
    await asyncio.sleep(3600)
    return ToolOutcome("late")


@tool(effect="write", lead="form")
async def down(context: ToolContext, year: int) -> ToolOutcome:
    """Ask a service that is down, twice."""
    context.note("tool_retry_same_key")
    raise ToolError(f"no price for {year}", code="tool_error")


@tool(effect="read")
async def full(context: ToolContext) -> ToolOutcome:
    """Write to a full disk."""
    raise Unavailable("disk full")


@tool(effect="read")
async def broken(context: ToolContext) -> ToolOutcome:
    """Hold a bug."""
    raise KeyError("bug")


@tool(effect="read", lead="search")
async def find_nothing(context: ToolContext) -> ToolOutcome:
    """Find nothing."""
    return ToolOutcome("nothing")


@tool(effect="read")
async def ask_day(context: ToolContext, day: str | None = None, number: str | None = None) -> ToolOutcome:
    """Ask for the day."""
    raise ToolQuestion("which day?", code="which_day", field="day", values={"days": "- monday"})


@tool(effect="write")
async def half_done(context: ToolContext) -> ToolOutcome:
    """Do something that nobody confirms."""
    ticket = HandoffRequested(ticket_id="T-1", reason="unconfirmed_change")
    return ToolOutcome(
        f"{context.account} {context.consent}", deeds=(ticket,), code="odd", fault="effect_ambiguous"
    )


TOOLS = Toolbox.of(echo, price, slow, down, full, broken, find_nothing, ask_day, half_done)


class _Desk:
    def __init__(self, *names: str, timeout_s: float = 1.0) -> None:
        self.events: list[Event] = []
        self.run = Run()
        self.waits = 0
        mine = specialist(*(names or tuple(TOOLS.tools)))
        self.calls = ToolCalls(
            mine, TOOLS, place("ann"), self.run, self.events.append, self._may_write, timeout_s
        )

    async def _may_write(self) -> None:
        self.waits += 1

    async def ask(self, *uses: ToolUse) -> list[ToolResult]:
        return list(await self.calls.answer(uses))

    @property
    def faults(self) -> list[str]:
        return [event.code for event in self.events if isinstance(event, FaultSeen)]


async def test_a_form_keeps_what_it_was_called_with() -> None:
    """The next message would be asked for details that are known."""
    desk = _Desk()

    (result,) = await desk.ask(use("price", Year="2022"))

    assert result.ok
    assert desk.run.form_slots == {"year": 2022, "make": "any"}
    assert desk.run.form_priced
    assert desk.waits == 1


async def test_the_key_does_not_depend_on_spelling() -> None:
    """A retry that wrote "2022" instead of 2022 would store a second quote."""
    desk = _Desk()

    first, second = await desk.ask(use("price", year=2022), use("PRICE", "c2", Year="2022", make="any"))

    assert first.text == second.text == "price {'year': 2022, 'make': 'any'} ann"


async def test_the_customer_comes_from_the_server() -> None:
    """A message could make the model act for somebody else."""
    desk = _Desk()

    (result,) = await desk.ask(use("price", year=2022, customer_id="bob"))

    assert not result.ok
    assert result.text.startswith("customer_id: is not an argument of this tool; it takes: year, make")


async def test_a_refusal_names_the_detail_at_fault() -> None:
    """The form would not know which detail to ask for again."""
    desk = _Desk()

    (result,) = await desk.ask(use("price", year=1950))

    assert (result.ok, result.code, result.at_fault) == (False, "vehicle_too_old", "year")
    assert result.values == {"year": "1950", "limit": "1990"}
    assert desk.run.form_at_fault == "year"
    assert desk.run.form_slots is None
    assert desk.faults == []


async def test_a_good_result_clears_an_earlier_fault() -> None:
    """The form would stay open on a detail that was corrected."""
    desk = _Desk()

    await desk.ask(use("price", year=1950), use("price", "c2", year=1995))

    assert desk.run.form_at_fault is None


async def test_a_form_whose_tool_fails_keeps_its_details() -> None:
    """The customer would be asked for everything again because a service was down."""
    desk = _Desk()

    await desk.ask(use("price", year=2022), use("down", "c2", Year="1995"))

    assert desk.run.form_slots == {"year": 1995}
    assert not desk.run.form_priced
    assert desk.run.form_at_fault is None


async def test_a_second_try_is_told() -> None:
    """A service that works only at the second try would look healthy in the routing log."""
    desk = _Desk()

    await desk.ask(use("down", year=1995))

    seen = [(event.code, event.where, event.retried) for event in desk.events if isinstance(event, FaultSeen)]
    assert seen == [("tool_retry_same_key", "down", True), ("tool_error", "down", False)]


@pytest.mark.fault("U15")
@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (use("prise", year=2022), "tool_unknown", 'there is no tool "prise"; you have: echo, price'),
        (use("price"), "tool_args_invalid", "year: is missing"),
        (
            ToolUse("c1", "price", {}, invalid="not JSON"),
            "tool_args_invalid",
            "not JSON; send them again as one",
        ),
        (use("full"), "tool_error", "this cannot be stored right now; say so honestly"),
    ],
)
async def test_a_bad_call_is_answered_with_what_is_wrong(asked: ToolUse, code: str, says: str) -> None:
    """The model would apologise where it could have corrected itself."""
    desk = _Desk()

    (result,) = await desk.ask(asked)

    assert (result.ok, result.code) == (False, code)
    assert result.text.startswith(says)
    assert desk.faults == [code]


@pytest.mark.fault("U15")
async def test_a_tool_of_another_specialist_is_not_there() -> None:
    """A greeting could cancel a policy."""
    desk = _Desk("echo")

    (result,) = await desk.ask(use("price", year=2022))

    assert result.text == 'there is no tool "price"; you have: echo'


@pytest.mark.fault("T1")
async def test_a_tool_that_hangs_is_given_up() -> None:
    """A customer would wait for ever behind a quote service that is down."""
    desk = _Desk(timeout_s=0.01)

    (result,) = await desk.ask(use("slow"))

    assert (result.code, desk.faults) == ("tool_timeout", ["tool_timeout"])


async def test_all_calls_of_one_answer_share_one_allowance_of_time() -> None:
    """Twelve calls of a service that hangs would keep a customer waiting for two minutes."""
    desk = _Desk(timeout_s=0.5)

    first, second = await desk.ask(use("slow"), use("slow", "c2"))

    took_ms = [event.took_ms for event in desk.events if isinstance(event, ToolReturned)]
    assert (first.code, second.code) == ("tool_timeout", "tool_timeout")
    assert took_ms[0] >= 490
    assert took_ms[1] < took_ms[0]


async def test_a_bug_in_a_tool_is_not_hidden() -> None:
    """A wrong answer would be given where the turn should end honestly."""
    with pytest.raises(KeyError):
        await _Desk().ask(use("broken"))


async def test_a_search_that_found_nothing_is_marked() -> None:
    """The next "yes" would not be understood as a wish for a person."""
    desk = _Desk()

    await desk.ask(use("find_nothing"), use("echo", "c2", word="x"))

    returned = [event for event in desk.events if isinstance(event, ToolReturned)]
    assert [event.empty for event in returned] == [True, False]


@pytest.mark.fault("U15")
async def test_fifty_calls_at_once_are_too_many() -> None:
    """One message could keep the quote service busy for minutes."""
    desk = _Desk()

    results = await desk.ask(*(use("echo", f"c{number}", word="x") for number in range(50)))

    assert [result.ok for result in results] == [True] * MAX_CALLS + [False] * (50 - MAX_CALLS)
    assert set(desk.faults) == {"tool_loop_capped"}


async def test_a_question_to_the_customer_is_recorded_as_one() -> None:
    """The customer's next word would not be understood as the answer; and no fault is counted for asking."""
    desk = _Desk()

    (result,) = await desk.ask(use("ask_day", number="AP-1", day=None))

    [returned] = [event for event in desk.events if isinstance(event, ToolReturned)]
    assert (returned.ok, returned.asks, result.code, result.at_fault) == (False, "day", "which_day", "day")
    assert result.values == {"number": "AP-1", "limit": "", "days": "- monday"}
    assert desk.faults == []


async def test_what_went_half_wrong_is_counted_and_handed_over() -> None:
    """The tool has an answer for the customer; operators and the person who takes over must know more."""
    desk = _Desk()

    (result,) = await desk.ask(use("half_done"))

    assert (result.ok, result.code, result.text) == (True, "odd", "None None")
    assert desk.faults == ["effect_ambiguous"]
    assert desk.run.handed_over
