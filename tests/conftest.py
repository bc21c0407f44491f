"""What holds for every test: no settings from outside, no network beyond this machine, the same dice every time."""

import asyncio
import gc
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import hypothesis
import pytest

from settings import Settings, set_up_log
from tests.postgres import ELSEWHERE, Postgres, running_postgres
from tests.quicktime import QuickLoop

pytest_plugins = ["tests.faults.plugin"]
pytest.register_assert_rewrite("tests.faults.scene", "tests.faults.ledger", "tests.faults.crowd")

_OURS = ("ANTHROPIC_", "FRONTDESK_")
_REQUIRE = "FRONTDESK_TEST_REQUIRE"  # says which parts of the suite must not be skipped
_KEPT = {_REQUIRE, ELSEWHERE}
_LOOPBACK = ("127.", "::1", "localhost")

for _name in [name for name in os.environ if name.startswith(_OURS) and name not in _KEPT]:
    del os.environ[_name]
for _name in ("HOST", "PORT"):
    os.environ.pop(_name, None)
Settings.model_config["env_file"] = None  # a developer's own .env must not change what is tested
set_up_log()
hypothesis.settings.register_profile(
    "desk",
    deadline=None,
    max_examples=40,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("desk")


class NetworkForbiddenError(Exception):
    """A test tried to leave this machine."""


def _keep_home(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect" or len(arguments) < 2:
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
        raise NetworkForbiddenError(f"a test tried to connect to {address[0]}")


sys.addaudithook(_keep_home)


def pytest_collection_finish() -> None:
    """Tests and modules stay until the end: the collector of cycles need not go through them, a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True)
def _same_dice() -> None:
    """Jitter and samples are the same in every run."""
    random.seed(20261122)


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests marked `quick_time` run in a loop whose waits take no time (tests/quicktime.py)."""
    if item.get_closest_marker("quick_time"):
        return {"quick": QuickLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except Exception as exc:
            if "postgres" in os.environ.get(_REQUIRE, ""):
                raise
            pytest.skip(f"PostgreSQL cannot be set up here: {exc}")
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database on it."""
    with postgres.database() as url:
        yield url
