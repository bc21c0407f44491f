"""The routes for chat clients: send a message, read a conversation, follow it, rate it."""

from contextlib import aclosing, suppress

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from api import body as bodies
from api.callers import Caller, with_token
from api.failures import refusals
from api.house import House, caller_of, house_of, owned
from api.openapi import CHAT_BODY, CHAT_REPLY, EVENT_STREAM, RESUME_HEADER, request_body
from api.stream import FrameStream, conversation_frames, place_of, seq_in, turn_frames
from errors import Unavailable
from events import Event, TurnRef, is_end
from readers.history import History, fold_history
from readers.reply import fold_reply
from store.log import Accepted

TURNS_IN_HISTORY = 500
_OF_A_MESSAGE = (400, 401, 404, 409, 413, 415, 422, 429, 503)


def add_chat_routes(app: FastAPI) -> None:
    """Routes under /chat."""
    app.post("/chat", responses={200: CHAT_REPLY, **refusals(*_OF_A_MESSAGE)}, openapi_extra=CHAT_BODY)(
        post_chat
    )
    app.get("/chat/{conversation_id}", response_model=History, responses=refusals(401, 404, 503))(get_history)
    app.get(
        "/chat/{conversation_id}/events",
        responses={200: EVENT_STREAM, **refusals(401, 404, 503)},
        openapi_extra=RESUME_HEADER,
    )(get_events)
    app.post(
        "/chat/{conversation_id}/feedback",
        status_code=201,
        responses=refusals(400, 401, 404, 413, 415, 422, 503),
        openapi_extra=request_body(bodies.FeedbackForm),
    )(post_feedback)


async def post_chat(request: Request) -> Response:
    """Take a message and answer it, as one JSON reply or as an AG-UI event stream (Accept: text/event-stream)."""
    house, caller = house_of(request), await caller_of(request)
    message = bodies.read_message(
        await bodies.read_json(request), caller.owner, request.headers.get("idempotency-key")
    )
    accepted = await house.runner.start(
        message, _address(request, caller), is_newcomer=caller.new_token is not None
    )
    request.state.accepted_from = caller  # whatever fails from here on must not lose who they are
    response: Response
    if "text/event-stream" in request.headers.get("accept", "").lower():
        after_seq = _resume_point(accepted.turn, request.headers.get("last-event-id", ""))
        frames = turn_frames(house.event_log, accepted.turn, after_seq, caller.new_token, accepted.first)
        response = FrameStream(frames, accepted.turn.turn_id)
    else:
        response = await _whole_reply(house, accepted, caller)
    return with_token(response, caller, request)


def _address(request: Request, caller: Caller) -> str | None:
    """Where a visitor's message comes from; a signed-in customer is known without."""
    return request.client.host if request.client is not None and caller.is_visitor else None


async def get_history(request: Request, conversation_id: str) -> Response:
    """The messages of a conversation of yours, oldest first; of a very long one the last 500 turns."""
    house = await owned(request, conversation_id)
    turns = await house.event_log.read_turns(conversation_id, TURNS_IN_HISTORY)
    history = fold_history(conversation_id, turns)
    return JSONResponse(history.model_dump(mode="json", exclude_none=True))


async def get_events(request: Request, conversation_id: str, after: str | None = None) -> Response:
    """Everything after the event you name (`Last-Event-ID` or `?after=`), and then what happens, as SSE."""
    house = await owned(request, conversation_id)
    event_id = request.headers.get("last-event-id") or after
    ordinal, seq = await place_of(house.event_log, conversation_id, event_id)
    return FrameStream(conversation_frames(house.event_log, conversation_id, ordinal, seq))


async def post_feedback(request: Request, conversation_id: str) -> dict[str, str]:
    """Rate the conversation, or one turn of it, from 1 to 5."""
    house = await owned(request, conversation_id)
    form = bodies.validated(bodies.FeedbackForm, await bodies.read_json(request))
    if form.turn_id is not None:
        await place_of(house.event_log, conversation_id, f"{form.turn_id}:0")
    comment = bodies.cleaned(form.comment) or None if form.comment is not None else None
    stored = await house.records.save_feedback(conversation_id, form.rating, comment, form.turn_id)
    return {"feedback_id": stored}


async def _whole_reply(house: House, accepted: Accepted, caller: Caller) -> Response:
    """The reply when the turn has ended.

    Raises:
        Unavailable: The server stops before that, or the log cannot be read now; the turn goes on.
    """
    events: list[Event] = []
    with suppress(Unavailable):
        async with aclosing(house.event_log.follow_turn(accepted.turn, first=accepted.first)) as follower:
            events = [item.event async for news in follower for item in news]
    if not (events and is_end(events[-1])):
        raise Unavailable(
            code="resume",
            customer_text="Your message is kept. Please send it again with the same id to get the answer.",
        )
    return JSONResponse(fold_reply(accepted.turn, events, caller.new_token).shown())


def _resume_point(turn: TurnRef, event_id: str) -> int:
    """After which event of this turn the stream goes on, when the client says what it has."""
    turn_id, _, number = event_id.rpartition(":")
    return (seq_in(number) or 0) if turn_id == turn.turn_id else 0
