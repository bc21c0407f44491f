"""Which servers lend tools to the desk over the Model Context Protocol: the settings file, checked (docs/mcp.md).

Why: what a server may do here is the company's decision and not the server's. Only tools that the file lists are lent,
each with its declared effect; names come from the file, so prompt files can be checked without connecting to anybody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from errors import ConfigError
from knowledge.tables import read_table
from tools.registry import Effect

ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,29}$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_./-]{1,128}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
VALUES = ("result",)  # what each lent tool offers to reply templates
_LONGEST_NAME = 64  # of a tool, in the Messages API
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long sessions with servers may take, in seconds; pauses between tries double up to the longest one."""

    connect_s: float = 20.0
    look_every_s: float = 10.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LentTool(_Row):
    """What the company says about one tool.

    Attributes:
        effect: "write" when something lasts: such a call waits until the route is certain.
        description: What the model reads, instead of the server's own words.
        names_prices: Prices in its results may be told to customers.
    """

    effect: Effect
    description: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2000)] | None
    ) = None
    names_prices: bool = False


class _Server(_Row):
    deadline_s: Annotated[float, Field(gt=0, le=9)] = 8.0
    tools: Annotated[dict[ToolName, LentTool], Field(min_length=1)]


class StdioServer(_Server):
    """A server that the desk starts as a process of its own; `env` names the variables that it is given."""

    transport: Literal["stdio"]
    command: Annotated[str, StringConstraints(min_length=1)]
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()


class HttpServer(_Server):
    """A server at an address (streamable HTTP); `token_env` names the variable that holds its bearer token."""

    transport: Literal["http"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")]
    token_env: Variable | None = None

    @property
    def env(self) -> tuple[Variable, ...]:
        """The variables it needs."""
        return () if self.token_env is None else (self.token_env,)


Server = Annotated[StdioServer | HttpServer, Field(discriminator="transport")]


class McpSettings(_Row):
    """The whole file: servers by name."""

    servers: Annotated[dict[ServerName, Server], Field(min_length=1)]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The settings of a file.

        Raises:
            ConfigError: Unreadable, unknown or wrong keys, or two tools that Claude could not tell apart; names file,
                key and remedy.
        """
        settings = read_table(path, cls)
        taken: dict[str, str] = {}
        for listed, wire in settings.names():
            if len(wire) > _LONGEST_NAME:
                raise ConfigError(
                    f"{path}: {listed}: {wire} is over {_LONGEST_NAME} letters; give the server a shorter name"
                )
            if wire in taken:
                raise ConfigError(
                    f"{path}: {listed} and {taken[wire]} would both be called {wire}; rename a server"
                )
            taken[wire] = listed
        return settings

    def names(self) -> Iterator[tuple[str, str]]:
        """Each lent tool: its name in prompt files, and its name for Claude and the log."""
        for server, settings in self.servers.items():
            for tool in settings.tools:
                yield listed_name(server, tool), wire_name(server, tool)

    def variables(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """The variables that the servers need, from the environment.

        Raises:
            ConfigError: One is not set.
        """
        wanted = {name: server for server, settings in self.servers.items() for name in settings.env}
        for name, server in wanted.items():
            if not environment.get(name):
                raise ConfigError(
                    f"the MCP server {server} needs the environment variable {name}; set it, or take it out of the file"
                )
        return {name: environment[name] for name in wanted}


def listed_name(server: str, tool: str) -> str:
    """How a prompt file names the tool."""
    return f"mcp:{server}/{tool}"


def wire_name(server: str, tool: str) -> str:
    """How Claude and the log name it: letters, digits, `_` and `-` only."""
    return _NO_NAME.sub("_", f"{server}__{tool}")
