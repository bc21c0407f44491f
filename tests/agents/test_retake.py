"""An answer in another language: the engine is asked once more, and nobody sees that it was."""

from dataclasses import replace

from engine.base import Brief, Done, Metered, Piece, Replies, Text
from engine.local import Local
from events import EngineCalled, GuardFired, Usage
from guards.language import language_guard
from guards.promises import promises_guard
from knowledge.brand import Commitments
from tests.agents.folders import shipped
from tests.agents.scripts import REQUEST, Scripted, Stage, done, specialist, use

ENGLISH = "Sure, for a price I need the make and the model of the car."
SPANISH = "Claro, para el precio necesito la marca y el modelo del auto."
GUARDS = {guard.name: guard for guard in (language_guard(), promises_guard(Commitments()))}


def _stage(*scripts: list[Piece | Exception]) -> Stage:
    """A turn of a Spanish conversation, before the guard of languages and another one."""
    return Stage(
        Scripted([*scripts]),
        specialist=specialist("echo", guards=("language", "promises")),
        guards=GUARDS,
        notices=shipped().notices,
    )


def _fired(stage: Stage) -> list[str]:
    return [event.what for event in stage.events if isinstance(event, GuardFired)]


async def test_the_engine_is_asked_once_more_before_a_word_is_shown() -> None:
    """A customer who writes Spanish would get an answer in English."""
    first: list[Piece | Exception] = [
        Metered(Usage(input_tokens=9)),
        Text(ENGLISH),
        Text(" And more."),
        done(),
    ]
    stage = _stage(first, [Text(SPANISH), done()])
    run = await stage.play()

    assert stage.text == SPANISH
    assert (run.said, _fired(stage)) == (True, ["asked_again"])
    calls = [event for event in stage.events if isinstance(event, EngineCalled)]
    assert [(call.stop_reason, call.usage.input_tokens) for call in calls] == [
        ("cancelled", 9),
        ("end_turn", 0),
    ]
    before, again = stage.engine.requests
    assert again == replace(before, afterthought=again.afterthought, first_piece_by=again.first_piece_by)
    assert "was not in Spanish" in again.afterthought


async def test_it_is_asked_only_once() -> None:
    """A model that knows one language only would be asked for ever."""
    stage = _stage([Text(ENGLISH), done()], [Text(ENGLISH), Text(" Bye."), done()])
    await stage.play()

    apology = shipped().notices.text("other_language", "es")
    assert stage.text == f"{apology}\n\n{ENGLISH} Bye."
    assert _fired(stage) == ["asked_again", "wrong_language"]
    assert len(stage.engine.requests) == 2


async def test_the_answer_behind_a_tool_is_asked_for_again_with_what_the_tool_returned() -> None:
    """The tool would run twice, or its result be lost."""
    stage = _stage(
        [use("echo", word="x"), done("tool_use")], [Text(ENGLISH), done()], [Text(SPANISH), done()]
    )
    await stage.play()

    assert stage.text == SPANISH
    assert stage.types.count("tool.called") == 1
    assert stage.engine.requests[2].rounds == stage.engine.requests[1].rounds
    assert stage.engine.requests[2].rounds


async def test_an_answer_that_has_begun_goes_on() -> None:
    """What the customer reads already would be taken back."""
    stage = _stage(
        [Text("Claro, un momento y lo busco en los artículos."), use("echo", word="x"), done("tool_use")],
        [Text(ENGLISH), done()],
    )
    await stage.play()

    assert stage.text == f"Claro, un momento y lo busco en los artículos.\n\n{ENGLISH}"
    assert _fired(stage) == []


async def test_without_words_for_it_nothing_is_asked_again() -> None:
    """A company whose prompts have no such text would have its engine asked for nothing."""
    stage = _stage([Text(ENGLISH), done()])
    stage.notices = Replies({})
    await stage.play()

    assert stage.text == ENGLISH
    assert _fired(stage) == ["wrong_language"]


async def test_the_engine_without_a_model_is_not_asked_again() -> None:
    """A customer in a language without local texts gets English, as before, and at once."""
    greeting = shipped().specialists["greeting"]
    english = {key: {"en": said["en"]} for key, said in greeting.replies.texts.items()}
    brief = Brief("greeting", replace(greeting.replies, texts=english), shipped().notices, "hi")
    stage = _stage()
    local = Local()
    pieces = [piece async for piece in local.stream(replace(REQUEST, brief=brief))]
    stage.engine.scripts.append(pieces)
    await stage.play()

    assert all(piece.is_fixed for piece in pieces if isinstance(piece, Text))
    assert isinstance(pieces[-1], Done)
    assert stage.text
    assert _fired(stage) == []
