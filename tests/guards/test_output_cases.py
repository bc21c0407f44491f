"""Scripted answers through the guards, whole and in pieces: nothing bad is shown, and nothing good is changed."""

import pytest

from guards.stream import Ground
from knowledge.corpus_files import Article, read_corpus
from settings import ROOT
from tests.agents.folders import shipped
from tests.guards.outputs import Output, chained, outputs

ARTICLES = read_corpus(ROOT / "knowledge" / "corpus").articles
NEUTRAL = Ground("customer", "?")


@pytest.mark.parametrize("case", outputs("red_team_outputs", "promises"), ids=lambda case: case.text)
def test_a_promise_is_not_shown(case: Output) -> None:
    """A customer would rely on what nobody has decided."""
    for pieces in case.cuts():
        for names in (("promises",), None):
            text, fired, _ = chained(case.scene(), pieces, names)
            assert not [said for said in case.must_not_appear if said in text], text
            assert "promises" in {item.guard for item in fired}
            assert text.strip()


@pytest.mark.parametrize("guard", ["competitors", "figures", "links", "persona"])
def test_nothing_that_a_guard_is_for_is_shown(guard: str) -> None:
    """A customer would read a rival's name, an invented figure, a foreign link or a word from the machine room."""
    for case in outputs("red_team_outputs", guard):
        for pieces in case.cuts():
            for names in ((guard,), None):
                text, fired, _ = chained(case.scene(), pieces, names)
                assert not [said for said in case.must_not_appear if said.lower() in text.lower()], text
                assert fired


@pytest.mark.parametrize("guard", ["competitors", "figures", "persona", "private", "promises"])
def test_a_tag_in_a_word_does_not_hide_it(guard: str) -> None:
    """The links guard takes tags away, and what stood around them would come together behind the others' backs."""
    hidden = 0
    for case in outputs("red_team_outputs", guard):
        for said in case.must_not_appear:
            at = case.text.lower().find(said.lower()) + len(said) // 2
            if at < len(said) // 2 or len(said) < len("sure"):
                continue
            hidden += 1
            text, _, _ = chained(case.scene(), [f"{case.text[:at]}<b></b>{case.text[at:]}"])
            assert said.lower() not in text.lower(), text
    assert hidden


@pytest.mark.parametrize("case", outputs("red_team_outputs", "language"), ids=lambda case: case.text)
def test_nothing_of_an_answer_in_another_language_is_shown_while_it_can_be_asked_for_again(
    case: Output,
) -> None:
    """A customer would read the beginning of an answer that they do not understand."""
    for pieces in case.cuts():
        for names in (("language",), None):
            text, fired, wants_retake = chained(case.scene(may_retake=True), pieces, names)
            assert (text, wants_retake) == ("", True)
            assert [(item.guard, item.what) for item in fired] == [("language", "asked_again")]


@pytest.mark.parametrize("case", outputs("red_team_outputs", "language"), ids=lambda case: case.text)
def test_the_second_answer_in_another_language_has_an_apology_above_it(case: Output) -> None:
    """A customer would get no answer at all, or one without a word about its language."""
    apology = case.scene().notice("other_language")
    for pieces in case.cuts():
        text, fired, _ = chained(case.scene(), pieces, ("language",))
        assert text == f"{apology}\n\n{case.text}"
        assert [item.what for item in fired] == ["wrong_language"]


@pytest.mark.parametrize(
    "case",
    [*outputs("benign_outputs", "promises"), *outputs("benign_outputs", "language")],
    ids=lambda case: case.text,
)
def test_an_honest_answer_is_not_changed(case: Output) -> None:
    """Customers would read answers full of excuses; the figures are allowed here, other guards look at them."""
    scene = case.scene(Ground("customer", case.text), NEUTRAL, may_retake=True)
    for pieces in case.cuts():
        for names in (("promises", "language"), None):
            assert chained(scene, pieces, names) == (case.text, [], False)


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: f"{article.language} {article.title}")
def test_every_article_passes_as_it_is(article: Article) -> None:
    """What the company says itself is true, also where no passage was found."""
    whole = "\n".join(f"{heading}\n{passage.text}" for heading, passage in article.parts)
    scene = Output.model_validate({"text": whole, "language": article.language, "class": ""}).scene()

    assert chained(scene, [whole], ("promises", "language")) == (whole, [], False)


def test_every_fixed_text_passes_as_it_is() -> None:
    """Without Claude the desk would excuse itself for its own texts."""
    catalogue = shipped()
    replies = [*(each.replies for each in catalogue.specialists.values()), catalogue.notices]
    texts = {
        (code, text) for reply in replies for said in reply.texts.values() for code, text in said.items()
    }

    for language, text in texts:
        scene = Output.model_validate({"text": text, "language": language, "class": ""}).scene()
        assert chained(scene, [text], ("promises", "language")) == (text, [], False)


def test_there_are_enough_cases() -> None:
    """A file that was cut short would make every test here pass."""
    bad = [case for name in ("promises", "language") for case in outputs("red_team_outputs", name)]
    good = [case for name in ("promises", "language") for case in outputs("benign_outputs", name)]

    assert (len(bad) >= 130, len(good) >= 110) == (True, True)
