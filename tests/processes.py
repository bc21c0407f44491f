"""The server as operators run it: a process of its own, which a test may kill at any moment and start again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx2

from settings import ROOT
from tests.ports import free_port
from tests.serving import SECRET, client_of
from tests.waiting import PATIENCE_S, soon, until


class ServerProcess:
    """`frontdesk serve` on a free loopback port, with a database in `folder`; killed when the context is left.

    Args:
        folder: Holds the database and what the process printed; another process may go on with it.
        environment: Further settings; without any the local engine answers.
        stdout: Where it logs to instead of a file in `folder`, for its first life.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, stdout: int | None = None
    ) -> None:
        self._stdout = stdout
        self._out = folder / "stdout"
        self._err = folder / "stderr"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client: httpx2.AsyncClient = client_of(self.url)
        self._environment = {
            **os.environ,
            "FRONTDESK_ENGINE": "local",
            "FRONTDESK_DATABASE_URL": f"sqlite:///{folder / 'desk.db'}",
            "FRONTDESK_SECRET": SECRET,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **(environment or {}),
        }
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self.kill()

    async def start(self) -> None:
        """Start it; returns when it is ready.

        Raises:
            RuntimeError: It did not become ready; what it printed is in the message.
        """
        with self._out.open("ab") as out, self._err.open("ab") as err:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "import cli; cli.main()",
                "serve",
                cwd=ROOT,
                env=self._environment,
                stdout=out if self._stdout is None else self._stdout,
                stderr=err,
            )
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await self._is_ready():
                    if self._process.returncode is not None:
                        break
                    await asyncio.sleep(0.05)
                else:
                    return
        except TimeoutError:
            pass
        raise RuntimeError(f"the server did not start:\n{self.printed()}")

    @property
    def pid(self) -> int:
        """Its process id, in this life."""
        assert self._process is not None
        return self._process.pid

    async def _is_ready(self) -> bool:
        try:
            return (await self.client.get("/readyz")).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL: it gets no time to say goodbye."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        if self._process is None:
            return 0
        return await soon(self._process.wait())

    @property
    def out(self) -> str:
        """What it printed so far on stdout."""
        return self._out.read_text(encoding="utf-8")

    def printed(self) -> str:
        """All it printed so far, on both outputs, in all its lives."""
        return self.out + self._err.read_text(encoding="utf-8")

    def lines(self) -> list[dict[str, Any]]:
        """Its log lines."""
        return [json.loads(line) for line in self.out.splitlines() if line]

    async def routed(self, turns: int) -> list[dict[str, Any]]:
        """The routing lines, once there are so many: they are printed after the customer has the answer."""
        await until(lambda: len(self._routing()) >= turns)
        return self._routing()

    def _routing(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == "turn.routed"]
