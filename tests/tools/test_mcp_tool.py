"""A lent tool as the desk has it: effect as the company says, words in quotes, failures as errors for the model."""

import json
from typing import Literal

import pytest

from errors import RemoteError, ToolError
from events import JsonObject
from tests.agents.scripts import NoRecords
from tests.tools.places import context
from tools.mcp_settings import LentTool
from tools.mcp_tool import Described, Said, lend
from tools.registry import Tool

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}},
    "required": ["order_id"],
}
ORDER = {"order_id": "5"}
READ, WRITE = LentTool(effect="read"), LentTool(effect="write")
Kind = Literal["timeout", "down", "refused", "invalid"]


class _Server:
    """What a session would say."""

    def __init__(self, says: Said | RemoteError) -> None:
        self._says = says
        self.asked: list[tuple[str, JsonObject, str | None]] = []

    async def call(self, tool: str, arguments: JsonObject, key: str | None) -> Said:
        self.asked.append((tool, arguments, key))
        if isinstance(self._says, RemoteError):
            raise self._says
        return self._says


def _lent(server: _Server, settings: LentTool = READ, description: str = "Looks it up.") -> Tool:
    return lend("crm", Described("look.up", description, SCHEMA), settings, server.call)


async def test_a_read_goes_without_a_key_and_a_write_with_the_calls() -> None:
    """A server could not tell a turn that is run again from a second wish."""
    server = _Server(Said("done", is_refusal=False))

    outcome = await _lent(server).call(context(NoRecords()), ORDER)
    await _lent(server, WRITE).call(context(NoRecords()), ORDER)

    assert server.asked == [("look.up", ORDER, None), ("look.up", ORDER, "k1")]
    assert json.loads(outcome.text) == {"from": "mcp:crm/look.up", "says": "done"}


def test_the_company_declares_what_a_tool_is() -> None:
    """A tool that changes something would run on a guess; a server's price be told as the company's."""
    server = _Server(Said("", is_refusal=False))
    plain, ours = (
        _lent(server),
        _lent(server, LentTool(effect="write", description="Ours, in ten letters.", names_prices=True)),
    )

    assert (plain.name, plain.listed, plain.effect, plain.lead, plain.is_strict) == (
        "crm__look_up",
        "mcp:crm/look.up",
        "read",
        "none",
        False,
    )
    assert not plain.names_prices
    assert (ours.effect, ours.description, ours.names_prices) == ("write", "Ours, in ten letters.", True)


def test_a_long_description_is_cut() -> None:
    """A server could fill the model's window, at every request."""
    assert len(_lent(_Server(Said("", is_refusal=False)), description="very " * 10_000).description) < 1_200


@pytest.mark.parametrize(
    ("kind", "may_have_acted", "read_code", "write_code"),
    [
        ("timeout", True, "tool_timeout", "effect_ambiguous"),
        ("down", True, "tool_error", "effect_ambiguous"),
        ("down", False, "tool_error", "tool_error"),
        ("invalid", True, "tool_result_invalid", "effect_ambiguous"),
    ],
)
async def test_a_failure_says_what_may_have_happened(
    kind: Kind, may_have_acted: bool, read_code: str, write_code: str
) -> None:
    """A customer would be told that something was not done which was."""
    server = _Server(RemoteError("crm: no", kind=kind, may_have_acted=may_have_acted))
    codes = []
    for settings in (READ, WRITE):
        with pytest.raises(ToolError) as caught:
            await _lent(server, settings).call(context(NoRecords()), ORDER)
        codes.append(caught.value.code)

    assert codes == [read_code, write_code]
    assert len(server.asked) == 2
