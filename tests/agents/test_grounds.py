"""What guards are told of a turn: who said what before the answer, and what tools return while it is under way."""

from dataclasses import replace

from agents.loop import Means, run_specialist
from engine.base import Said, Text
from errors import ToolError
from events import Event
from guards.length import length_guard
from guards.stream import Ground, Guard, Scene, Step
from tests.agents.folders import shipped
from tests.agents.scripts import NOW, REQUEST, Scripted, done, place, specialist, use
from tests.agents.test_loop import PASSAGE, look_up
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool


@tool(effect="read", names_prices=True)
async def price(context: ToolContext, year: int) -> ToolOutcome:
    """A price."""
    if year < 2000:
        raise ToolError(f"{year} is too old: 2000 is the oldest", code="too_old", limit="2000")
    return ToolOutcome("84.50 US dollars")


async def _scene(*tools: tuple[str, dict[str, object]]) -> Scene:
    """What the guard of a run knows in the end, in which these tools were called."""
    seen: list[Scene] = []

    def make(scene: Scene) -> Step:
        seen.append(scene)
        return length_guard().make(scene)

    toolbox = Toolbox.of(look_up, price, mine)
    calls = [use(name, f"c{number}", **arguments) for number, (name, arguments) in enumerate(tools)]
    means = Means(
        Scripted([[*calls, done("tool_use")], [Text("Yes."), done()]]),
        toolbox,
        {"spy": Guard("spy", "", make)},
        expects_claude=True,
    )
    request = replace(REQUEST, history=(Said("customer", "mine"), Said("assistant", "ours")))
    events: list[Event] = []

    async def at_once() -> None:
        return

    worker = replace(
        specialist("look_up", "price", "mine", guards=("spy",)), told="the task", fixed="the house's words"
    )
    await run_specialist(
        worker, request, means, replace(place(), prices=("Q-1: 70",)), events.append, at_once
    )
    return seen[0]


async def test_guards_know_who_said_what_before() -> None:
    """An old price would not count as one, or a customer's wish would count as the company's word."""
    scene = await _scene(("look_up", {"query": "nothing"}))

    assert scene.grounds == [
        Ground("company", "the task"),
        Ground("company", "the house's words"),
        Ground("company", "Sunday, 2026-11-22"),
        Ground("price", "Q-1: 70"),
        Ground("customer", "mine"),
        Ground("answer", "ours"),
        Ground("customer", "hi"),
        Ground("tool", "1 passage"),
    ]
    assert scene.today == NOW.date()


async def test_guards_learn_what_tools_return() -> None:
    """A price that was just worked out, or the limit that a refusal names, would be withheld."""
    scene = await _scene(
        ("look_up", {"query": "theft"}),
        ("price", {"year": 2020}),
        ("price", {"year": 1990}),
        ("price", {"year": "x"}),
    )

    assert scene.grounds[7:] == [
        Ground("tool", "1 passage"),
        Ground("passage", PASSAGE.text),
        Ground("price", "84.50 US dollars"),
        Ground("tool", "2000"),
    ]


def test_what_the_company_says_leaves_the_examples_out() -> None:
    """An invented figure of an example would count as the company's word."""
    specialist = shipped().specialists["quote"]
    fixed = f"{specialist.told}\n{specialist.fixed}"

    assert "# Role" in fixed
    assert "Hours: Monday to Friday, 9 AM to 5 PM EST" in fixed  # a shared part
    assert "The youngest age I can price is" in fixed  # a local reply
    assert "prefiero no adivinar" in fixed  # a notice
    assert "60 mil km" not in fixed  # an example


@tool(effect="read", own_data=True)
async def mine(context: ToolContext) -> ToolOutcome:
    """What is the customer's own."""
    return ToolOutcome(f"{context.language}: ann@x.com")


async def test_only_a_tool_of_the_customer_s_own_data_gives_grounds_that_are_their_own() -> None:
    """A search that brings somebody's address would let the answer say it."""
    scene = await _scene(("mine", {}), ("look_up", {"query": "nothing"}))

    assert [ground.text for ground in scene.grounds if ground.is_own] == ["es: ann@x.com"]
