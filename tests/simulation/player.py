"""Play the acts of an answer on its connection, and note in the record what went out when."""

import asyncio
from collections.abc import Callable

from tests.simulation.acts import Finish, Head, Send, Wait
from tests.simulation.answers import Staged
from tests.simulation.connection import Connection
from tests.simulation.errors import ApiError
from tests.simulation.recorded import Recorded


async def play(
    staged: Staged,
    connection: Connection,
    recorded: Recorded,
    clock: Callable[[], float],
    before_end: Callable[[], object],
) -> None:
    """Send everything; `before_end` is called before the connection is free for its next request."""
    for act in staged.acts:
        match act:
            case Wait(0):
                continue
            case Wait(seconds):
                connection.flush()
                await _pause(seconds)
            case Head():
                recorded.began_at = clock()
                recorded.status = act.status
                staged.on_begin()
                connection.begin(act, {"request-id": recorded.request_id, **staged.headers})
            case Send(data, cut="whole"):
                connection.send(data)
            case Send(data, cut=cut):
                await connection.send_cut(data, cut)
            case Finish(how):
                recorded.finished_at = clock()
                before_end()
                connection.finish(how)


def apologise(connection: Connection, recorded: Recorded, failure: BaseException) -> None:
    """Answer 500 for a brain that failed; a connection that has already begun to answer is reset."""
    if recorded.began_at is not None:
        connection.reset()
        return
    recorded.status = 500
    body = ApiError(500, f"The simulation's brain failed: {failure!r}").body(recorded.request_id)
    connection.begin(Head(500, "application/json", len(body)), {"request-id": recorded.request_id})
    connection.send(body)
    connection.finish("close")


async def _pause(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.get_running_loop().create_future()
    else:
        await asyncio.sleep(seconds)
