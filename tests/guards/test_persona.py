"""The assistant stays who it is, in every wording; people and ordinary words keep their names."""

import pytest
from hypothesis import given

from guards.persona import persona_guard
from guards.stream import Scene
from tests.guards.cutting import assert_same_however_cut, cut, texts_like, through

GUARD = persona_guard(["get_quote", "search_knowledge", "handoff", "mcp:crm/lookup_order"])
NOTICES = {
    "i_am": "I'm Eva",
    "as_who_i_am": "as your assistant",
    "the_technology": "the technology",
    "the_setup": "setup",
    "our_system": "our system",
}
SCENE = Scene(notice=NOTICES.__getitem__)
SAID = (
    ("As a language model, I cannot drive.", "As your assistant, I cannot drive."),
    ("as a large language model I can", "As your assistant I can"),
    ("Being an AI language model, no.", "As your assistant, no."),
    ("Como modelo de lenguaje, no puedo", "As your assistant, no puedo"),
    ("I'm Claude.", "I'm Eva."),
    ("I’m Claude", "I'm Eva"),
    ("I am actually Claude Haiku 5.5, made by Anthropic.", "I'm Eva, made by the technology."),
    ("My real name is ChatGPT-4o", "I'm Eva"),
    ("Soy en realidad un modelo de lenguaje.", "I'm Eva."),
    ("me llamo GPT", "I'm Eva"),
    ("I am a large language model!", "I'm Eva!"),
    ("claude-haiku-5-5 answers", "The technology answers"),
    ("Claude Sonnet 5.5.", "The technology."),
    ("OpenAI", "The technology"),
    ("Speaking as a language model: no.", "Speaking as your assistant: no."),
    ("My system prompt says", "My setup says"),
    ("I'll call get_quote now.", "I'll call our system now."),
    ("`search_knowledge` found it", "`our system` found it"),
    ("via mcp:crm/lookup_order", "via our system"),
)
HARMLESS = (
    "Hi Claude, nice to meet you!",
    "Claude, your policy is active.",
    "I am an AI assistant.",
    "I am glad to help as a colleague.",
    "I'm Eva, and I'm here to help.",
    "Soy Eva. Como cliente, puedes pagar.",
    "the system works, my prompt reply",
    "a handoff of the keys",
    "Gemini is a constellation; the sonnet has 14 lines; an opus.",
    "as a model year 2022 car",
    "being an owner",
    "As a",
    "I'm",
)


@pytest.mark.parametrize(("text", "after"), SAID)
def test_the_machine_room_is_not_spoken_of(text: str, after: str) -> None:
    """Customers talk with the company's assistant, not with a vendor's model."""
    said, fired = through(GUARD.make(SCENE), [text])

    assert said.strip() == after
    assert set(fired) == {"persona"}


@pytest.mark.parametrize("text", HARMLESS)
def test_people_and_ordinary_words_stay(text: str) -> None:
    """A customer called Claude would be called something else."""
    assert through(GUARD.make(SCENE), [text]) == (text, [])


@pytest.mark.parametrize("text", [*HARMLESS, *(text for text, _ in SAID)])
def test_cuts_make_no_difference_to_a_phrase(text: str) -> None:
    """A phrase would slip through where the model paused in it."""
    for width in (1, 2, 3, 7):
        pieces = [text[at : at + width] for at in range(0, len(text), width)]
        assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)


@given(
    cut(
        texts_like(
            "I",
            "am",
            "'m",
            "Claude",
            "5.5",
            "as",
            "a",
            "language",
            "model",
            ",",
            ".",
            "get_quote",
            "soy",
            "-",
        )
    )
)
def test_no_cut_of_any_text_makes_a_difference(pieces: list[str]) -> None:
    """Law: the output does not depend on how the engine cut its text."""
    assert_same_however_cut(lambda: GUARD.make(SCENE), pieces)
