"""A question is told from the rest of the world by its words; where nothing was learned, nothing is judged."""

from knowledge.subject import Subject, elsewhere

OURS = [frozenset({"car", "stolen"}), frozenset({"car", "hail"}), frozenset({"car", "what"})] * 100
OTHERS = [frozenset({"rain", "what"}), frozenset({"soup"}), frozenset({"hail", "rain"})] * 100
SUBJECT = Subject.learn(OURS, OTHERS, ["car", "premium"])


def test_words_speak_for_where_they_occur() -> None:
    """A question about soup would be answered with an article about cars."""
    assert SUBJECT.judge(["car"]) > SUBJECT.judge(["hail"]) > SUBJECT.judge(["soup"])
    assert SUBJECT.judge(["car", "stolen"]) > 0 > SUBJECT.judge(["rain", "soup"])


def test_a_word_that_only_the_articles_have_speaks_for_nothing() -> None:
    """A customer who uses the article's own word would find nothing."""
    assert SUBJECT.knows("premium")
    assert SUBJECT.judge(["premium"]) == SUBJECT.judge([])


def test_a_word_that_was_never_read_speaks_against() -> None:
    """A question of unknown words would be answered with whatever shares an "and" with it."""
    assert not SUBJECT.knows("iceland")
    assert SUBJECT.judge(["iceland"]) < SUBJECT.judge([])


def test_a_small_part_of_what_many_articles_say_speaks_for_them() -> None:
    """A company with ten thousand articles would find none of them: each subject is rare among so many."""
    tractors = [frozenset({"tractor", "what"})] * 30_000
    large = Subject.learn([*OURS, *tractors], OTHERS, [])

    assert large.judge(["stolen"]) > large.judge([]) + 0.5
    assert large.judge(["soup"]) < large.judge([])


def test_what_everybody_says_speaks_for_no_large_company() -> None:
    """The word "what" stands in thousands of lines of a large company: it would speak for it whatever else is asked."""
    more = Subject.learn(
        [*OURS, *[frozenset({"what"})] * 10_000, *[frozenset({"tractor"})] * 30_000], OTHERS, []
    )

    assert more.judge(["what"]) <= more.judge([]) + 0.1


def test_few_questions_prove_little() -> None:
    """A company with three articles would find nothing in them."""
    few = Subject.learn(OURS[:3], OTHERS, [])

    assert few.trust < SUBJECT.trust < 1
    assert few.judge(["soup"]) > SUBJECT.judge(["soup"])


def test_a_language_without_examples_is_not_judged() -> None:
    """Catalan articles could not be found at all."""
    assert elsewhere("ca") == ()
    nobody = Subject.learn(OURS, [], ["car"])

    assert nobody.judge(["soup"]) == nobody.judge(["car"]) > 0


def test_english_and_spanish_have_examples() -> None:
    """Questions about other things would be answered in one of the two languages."""
    assert min(len(elsewhere("en")), len(elsewhere("es"))) > 300
