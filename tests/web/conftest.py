"""A real browser, the real server in its own process, and a line between them that a test can break."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from readers.history import History, Message
from settings import ROOT
from tests.ports import free_port
from tests.waiting import PATIENCE_S

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MS = 1000 * PATIENCE_S
expect.set_options(timeout=_PATIENCE_MS)
_SERVE = (sys.executable, "-c", "import cli; cli.main()", "serve")


class Desk:
    """The server as operators run it; it can die without a word and come back at the same address."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "server.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")},
            "FRONTDESK_ENGINE": "local",
            "FRONTDESK_DATABASE_URL": f"sqlite:///{folder / 'desk.db'}",
            "FRONTDESK_SECRET": "a-secret-of-the-tests",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; returns when it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no input of others
                _SERVE, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz"):
                return
            time.sleep(0.05)
        pytest.fail(f"the server did not start:\n{self._log.read_text(encoding='utf-8')[-2000:]}")

    def die(self) -> None:
        """Kill the process without giving it time to say goodbye."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(PATIENCE_S)


class Cable:
    """A relay between browser and server that breaks where a test says so."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: set[socket.socket] = set()
        self._breaks: list[tuple[bytes, int]] = []
        self._guard = threading.Lock()
        self.breaks_seen = 0
        self.is_down = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def break_at(self, marker: bytes, further: int = 0) -> None:
        """Cut all lines once, `further` bytes after the server next says this (negative: before its end)."""
        self._breaks.append((marker, further))

    def cut(self) -> None:
        """Cut all lines that are open, as a lost network does."""
        with self._guard:
            lines, self._lines = self._lines, set()
        for line in lines:
            _close(line)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        try:
            if self.is_down:
                raise ConnectionError
            far = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            _close(near)
            return
        with self._guard:
            self._lines |= {near, far}
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        self._pump(far, near, is_answer=True)

    def _pump(self, source: socket.socket, target: socket.socket, *, is_answer: bool = False) -> None:
        said = b""
        with suppress(OSError):
            while data := source.recv(65_536):
                said = said + data if self._breaks else b""
                beyond = self._beyond_break(said) if is_answer else None
                target.sendall(data if beyond is None else data[: max(0, len(data) - beyond)])
                if beyond is not None:
                    self.cut()
        with self._guard:
            self._lines -= {source, target}
        _close(source)
        _close(target)

    def _beyond_break(self, said: bytes) -> int | None:
        """How many of these bytes lie beyond the place of the next break; None when it is not there yet."""
        with self._guard:
            if not self._breaks or self._breaks[0][0] not in said:
                return None
            marker, further = self._breaks.pop(0)
            self.breaks_seen += 1
        return max(0, len(said) - said.index(marker) - len(marker) - further)


def _close(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server with a database of its own and no key."""
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    running = Desk(tmp_path_factory.mktemp("desk"))
    try:
        running.start()
        yield running
    finally:
        running.die()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as it comes with Debian."""
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def cable(desk: Desk) -> Iterator[Cable]:
    """A whole line to the server."""
    with Cable(desk.port) as line:
        yield line


class Visitor:
    """A person at the chat page, and everything their browser sent, asked for or complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        context.set_default_timeout(_PATIENCE_MS)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.addresses: list[str] = []
        self.sent: list[dict[str, str]] = []
        self.page.on("request", self._note)
        self.page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.goto(url)

    def _note(self, request: Request) -> None:
        self.addresses.append(request.url)
        if request.method == "POST" and request.url.endswith("/chat"):
            self.sent.append(json.loads(request.post_data or "{}"))

    def _complain(self, text: str) -> None:
        self.complaints.append(text)

    def say(self, text: str) -> str:
        """Write, press Enter, wait for the whole answer; its words as shown."""
        turns = self.page.locator(".turn")
        before = turns.count()
        self.page.locator("#box").fill(text)
        self.page.locator("#box").press("Enter")
        return self.answer(before + 1)

    def answer(self, number: int) -> str:
        """The words of this answer (from 1), once it is complete and the last one."""
        expect(self.page.locator(".turn")).to_have_count(number)
        last = self.page.locator(".turn").last.locator(".answer")
        expect(last).to_have_attribute("aria-busy", "false")
        return last.locator(".words").inner_text()

    def until(self, holds: Callable[[], bool]) -> None:
        """Return as soon as this holds; the browser goes on meanwhile."""
        ends = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < ends, "what is waited for never comes"
            self.page.wait_for_timeout(20)

    def history(self) -> tuple[Message, ...]:
        """The messages of this conversation as the server has them."""
        script = "async () => (await fetch('chat/' + localStorage['chat.id'])).text()"
        return History.model_validate_json(self.page.evaluate(script)).messages


@pytest.fixture
def visit(browser: Browser, cable: Cable) -> Iterator[Callable[..., Visitor]]:
    """Opens the page for a new visitor, with a window of this width."""
    with ExitStack() as opened:

        def open_page(locale: str = "en-US", width: int = 1280, *, has_touch: bool = False) -> Visitor:
            context = browser.new_context(
                locale=locale,
                viewport={"width": width, "height": 700},
                is_mobile=has_touch,
                has_touch=has_touch,
            )
            opened.callback(context.close)
            return Visitor(context, cable.url)

        yield open_page
