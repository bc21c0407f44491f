"""The settings file of lent tools: what is wrong is named with its remedy before anybody connects."""

from pathlib import Path

import pytest

from errors import ConfigError
from tools.mcp_settings import HttpServer, McpSettings, StdioServer

GOOD = """
[servers.crm]
transport = "stdio"
command = "crm-server"
args = ["--quiet"]
env = ["CRM_TOKEN"]
deadline_s = 2.5

[servers.crm.tools."orders.look/up"]
effect = "read"
description = "Look up an order of the customer."

[servers.billing]
transport = "http"
url = "https://billing.example/mcp"
token_env = "BILLING_TOKEN"
tools = {refund = {effect = "write", names_prices = true}}
"""


def _load(folder: Path, text: str) -> McpSettings:
    file = folder / "mcp.toml"
    file.write_text(text, encoding="utf-8")
    return McpSettings.load(file)


def test_a_file_says_which_servers_lend_what(tmp_path: Path) -> None:
    """A company could not say which of its systems the desk may use."""
    settings = _load(tmp_path, GOOD)
    crm, billing = settings.servers["crm"], settings.servers["billing"]

    assert isinstance(crm, StdioServer)
    assert (crm.command, crm.args, crm.env, crm.deadline_s) == (
        "crm-server",
        ("--quiet",),
        ("CRM_TOKEN",),
        2.5,
    )
    assert isinstance(billing, HttpServer)
    assert (billing.env, billing.deadline_s) == (("BILLING_TOKEN",), 8.0)
    assert billing.tools["refund"].names_prices
    assert list(settings.names()) == [
        ("mcp:crm/orders.look/up", "crm__orders_look_up"),
        ("mcp:billing/refund", "billing__refund"),
    ]


def test_secrets_come_by_name_from_the_environment(tmp_path: Path) -> None:
    """A token would stand in a file that many people read; or a server would be started without it."""
    settings = _load(tmp_path, GOOD)
    environment = {"CRM_TOKEN": "a", "BILLING_TOKEN": "b", "OTHER": "c"}

    assert settings.variables(environment) == {"CRM_TOKEN": "a", "BILLING_TOKEN": "b"}
    with pytest.raises(ConfigError, match="MCP server billing needs the environment variable BILLING_TOKEN"):
        settings.variables({"CRM_TOKEN": "a", "BILLING_TOKEN": ""})


def test_a_server_without_a_token_needs_no_variable(tmp_path: Path) -> None:
    """A server on the same machine would need a made-up secret."""
    settings = _load(
        tmp_path, GOOD.replace('token_env = "BILLING_TOKEN"\n', "").replace('env = ["CRM_TOKEN"]\n', "")
    )

    assert settings.variables({}) == {}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('effect = "read"', "", r"effect: Field required; add this key"),
        ('effect = "read"', 'effect = "delete"', r"effect: Input should be 'read' or 'write'"),
        ('transport = "stdio"', 'transport = "sse"', r"transport|tag 'sse'"),
        ('command = "crm-server"', "", "command: Field required"),
        ('command = "crm-server"', 'url = "http://x"', "command: Field required"),
        ("https://billing.example/mcp", "billing.example", "url: String should match pattern"),
        ("https://billing.example/mcp", "https://ann:pw@billing.example", "url: String should match pattern"),
        ("deadline_s = 2.5", "deadline_s = 30", "deadline_s: Input should be less than or equal to 9"),
        ("deadline_s = 2.5", "dead_line = 2.5", "dead_line: Extra inputs are not permitted; remove this key"),
        ('env = ["CRM_TOKEN"]', 'env = ["CRM_TOKEN=abc"]', "String should match pattern"),
        ("[servers.crm]", "[servers.CRM]", "String should match pattern"),
        ("{refund = {", '{"re fund" = {', "String should match pattern"),
        ('{effect = "write", names_prices = true}', "{}", "effect: Field required"),
        ("tools = {refund", "tools_ = {refund", "tools: Field required"),
        ("[servers.billing]", '[servers."bil\nling"]', "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_remedy(before: str, after: str, says: str, tmp_path: Path) -> None:
    """The desk would open with a tool whose effect nobody has declared."""
    with pytest.raises(ConfigError, match=says) as refused:
        _load(tmp_path, GOOD.replace(before, after))

    assert str(tmp_path / "mcp.toml") in str(refused.value)


def test_a_file_without_servers_is_refused(tmp_path: Path) -> None:
    """A misspelt heading would leave all tools away without a word."""
    with pytest.raises(ConfigError, match="servers"):
        _load(tmp_path, "[servers]\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        McpSettings.load(tmp_path / "none.toml")


def test_two_tools_that_claude_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    """One of them would never be called."""
    twice = GOOD.replace("tools = {refund = {", 'tools = {"a.b" = {effect = "read"}, a_b = {')

    with pytest.raises(
        ConfigError, match=r"mcp:billing/a_b and mcp:billing/a\.b would both be called billing__a_b"
    ):
        _load(tmp_path, twice)


def test_a_name_too_long_for_the_api_is_refused(tmp_path: Path) -> None:
    """Every answer of the specialist would be refused by the API."""
    with pytest.raises(ConfigError, match="is over 64 letters; give the server a shorter name"):
        _load(tmp_path, GOOD.replace("{refund = {", f"{{{'r' * 60} = {{"))
