"""The shipped prompts load, versions follow the bytes, and the catalogue is made from the folder alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.specialist import PromptError, load_catalogue
from errors import ConfigError
from settings import ROOT
from tests.agents.folders import SHIPPED, copied, edit, load, parts, shipped, tool_facts
from tests.waiting import PATIENCE_S

INTENTS = ("escalate", "greeting", "off_topic", "product_info", "quote")
FILES = sorted(path.name for path in SHIPPED.glob("*.md"))


def test_the_shipped_prompts_are_one_catalogue() -> None:
    """A fresh machine would not start if one shipped file were refused."""
    catalogue = shipped()

    assert catalogue.intents == INTENTS
    assert set(catalogue.files) == {name.removesuffix(".md") for name in FILES}
    assert all(catalogue.files.values())


@pytest.mark.parametrize("intent", INTENTS)
def test_every_shipped_specialist_names_known_tools_and_guards(intent: str) -> None:
    """A specialist without its tool would promise what it cannot do."""
    specialist = shipped().specialists[intent]

    assert set(specialist.tools) <= set(tool_facts().leads)
    assert set(specialist.guards) <= set(parts().guards)
    assert specialist.guards
    assert specialist.system[0].startswith("# ")
    assert "{{" not in "".join(specialist.system)
    assert specialist.utterances
    assert specialist.label["en"]


def test_the_first_tool_leads() -> None:
    """The local engine would fill no form, search nothing and hand over to nobody."""
    catalogue = shipped()

    leads = {intent: item.lead for intent, item in catalogue.specialists.items()}

    assert leads == {
        "escalate": "handoff",
        "greeting": "none",
        "off_topic": "none",
        "product_info": "search",
        "quote": "form",
    }
    form = catalogue.leading("form")
    assert form is not None
    assert form.intent == "quote"


def test_a_desk_without_such_a_tool_has_no_leading_specialist() -> None:
    """A company that sells nothing by form must not crash where a form would begin."""
    catalogue = shipped()
    without = {name: item for name, item in catalogue.specialists.items() if item.lead != "form"}

    assert (
        type(catalogue)(
            specialists=without,
            classifier=catalogue.classifier,
            notices=catalogue.notices,
            lexicon=catalogue.lexicon,
            files=catalogue.files,
            version=catalogue.version,
        ).leading("form")
        is None
    )


def test_shared_parts_come_first(folder: Path) -> None:
    """Identity and guardrails would not be shared by the caches of two specialists of one model."""
    specialists = load(folder).specialists

    assert specialists["greeting"].system[0] == specialists["quote"].system[0]
    assert specialists["greeting"].system[1] != specialists["quote"].system[1]


def test_equal_bytes_give_the_same_versions(tmp_path: Path) -> None:
    """Nobody could tell which prompt wrote an answer if versions moved by themselves."""
    first, second = shipped(), load(copied(tmp_path))

    assert first.version == second.version
    assert first.classifier.version == second.classifier.version
    assert {name: item.version for name, item in first.specialists.items()} == {
        name: item.version for name, item in second.specialists.items()
    }


def test_every_process_gives_the_same_versions() -> None:
    """Two servers with equal files would seem to serve different prompts: each process has its own order of sets."""
    code = "from tests.agents.folders import shipped; print([item.version for item in shipped().specialists.values()])"
    said = {
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(said) == 1
    assert said != {b""}


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_in_any_file_is_another_catalogue(name: str, folder: Path) -> None:
    """Readiness would show the old version although something else is served."""
    before = load(folder).version
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")

    assert load(folder).version != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Here you work out prices", "Here we work out prices"),
        ("## 1. Know what is known", "## 1. Know what is there"),
        ("The examples show the manner", "The examples show a manner"),
        ("Answer in {{language}}.", "Write in {{language}}."),
        ("Whenever you would like a price", "Any time you would like a price"),
        ("max_tokens: 1000", "max_tokens: 1001"),
        ("tools: [get_quote, search_knowledge, handoff]", "tools: [get_quote, search_knowledge]"),
    ],
)
def test_what_shapes_an_answer_shapes_the_version(old: str, new: str, folder: Path) -> None:
    """Two different prompts under one version could not be compared in the log."""
    before = load(folder).specialists
    edit(folder / "quote.md", old, new)
    after = load(folder).specialists

    assert after["quote"].version != before["quote"].version
    assert after["greeting"].version == before["greeting"].version


def test_a_shared_part_is_part_of_every_version(folder: Path) -> None:
    """A changed guardrail would not show on the turns that were answered under it."""
    before = load(folder).specialists
    edit(folder / "_guardrails.md", "**You stay Eva.**", "**You remain Eva.**")
    after = load(folder).specialists

    assert all(after[name].version != before[name].version for name in INTENTS)


def test_the_classifier_reads_every_description(folder: Path) -> None:
    """A new intent would exist without anything ever being routed to it."""
    classifier = load(folder).classifier
    edit(folder / "greeting.md", "Hello, thanks, goodbye", "Salutations, thanks, goodbye")
    after = load(folder).classifier

    assert "## greeting\nSalutations, thanks" in after.system
    assert classifier.version != after.version


def test_a_specialist_may_do_without_facts_and_replies(folder: Path) -> None:
    """The smallest file that can work would be refused."""
    text = (folder / "greeting.md").read_text(encoding="utf-8").replace("intent: greeting", "intent: hello")
    head, _, rest = text.partition("# This turn")
    utterances = rest[rest.index("# Utterances") :]
    (folder / "hello.md").write_text(f"{head}# Local replies\n\n{utterances}", encoding="utf-8")

    hello = load(folder).specialists["hello"]

    assert (hello.turn, hello.replies.texts) == ("", {})


def test_hidden_files_are_left_alone(folder: Path) -> None:
    """An editor's lock file beside a prompt would stop the desk."""
    (folder / ".#quote.md").symlink_to("nowhere")

    assert load(folder).intents == INTENTS


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    """A dangling link would end in a stack trace."""
    (folder / "claims.md").symlink_to("nowhere.md")

    with pytest.raises(PromptError, match=r"prompts/claims\.md:1: the file cannot be read: No such file"):
        load(folder)


def test_a_folder_without_prompts_says_which_setting_is_wrong(tmp_path: Path) -> None:
    """Somebody who mistyped FRONTDESK_PROMPTS would search in the wrong place."""
    with pytest.raises(ConfigError, match=r"no classifier\.md here; FRONTDESK_PROMPTS must name"):
        load(tmp_path / "nothing")


def test_a_desk_needs_two_intents(folder: Path) -> None:
    """The local classifier cannot choose among one."""
    for name in INTENTS[:-1]:
        (folder / f"{name}.md").unlink()

    with pytest.raises(ConfigError, match="1 intents here; a desk needs two files"):
        load(folder)


def test_notices_and_lexicon_may_be_missing(folder: Path) -> None:
    """A small desk that has no use for them would be refused."""
    for name in ("_notices", "_lexicon", "second_look", "escalate"):
        (folder / f"{name}.md").unlink()
    for path in folder.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition("# Local replies")
        utterances = rest[rest.index("# Utterances") :] if rest else ""
        path.write_text(head + utterances, encoding="utf-8")

    catalogue = load(folder)

    assert catalogue.notices.texts == {}
    assert catalogue.second_look is None
    assert catalogue.lexicon.phrases == {}


def test_a_file_that_went_away_is_missed_while_the_desk_is_open(folder: Path) -> None:
    """A slip with the mouse would take an intent away from customers under way."""
    before = load(folder)
    (folder / "quote.md").unlink()

    with pytest.raises(PromptError, match=r"prompts/quote\.md:1: the file is gone; put it back, or restart"):
        load(folder, before)
    assert "quote" not in load(folder).intents


def test_a_file_that_was_cut_is_refused_while_the_desk_is_open(folder: Path) -> None:
    """Half of the guardrails would be served as if they were all of them."""
    before = load(folder)
    path = folder / "_guardrails.md"
    path.write_bytes(path.read_bytes()[:-400])

    with pytest.raises(PromptError, match=r"_guardrails\.md:1: the file is shorter than before"):
        load(folder, before)


def test_an_edit_without_a_line_break_at_its_end_is_taken(folder: Path) -> None:
    """Some editors leave the last line open; lint accepts such a file, so the desk must serve it."""
    before = load(folder)
    path = folder / "greeting.md"
    path.write_text(path.read_text(encoding="utf-8") + "hello from my new editor", encoding="utf-8")

    assert load(folder, before).version != before.version


def test_a_new_file_needs_no_line_break_at_its_end(folder: Path) -> None:
    """Editors that leave the last line open would not be able to add an intent."""
    before = load(folder)
    text = (folder / "greeting.md").read_text(encoding="utf-8").replace("intent: greeting", "intent: hello")
    (folder / "hello.md").write_text(text.rstrip(), encoding="utf-8")

    assert "hello" in load(folder, before).intents


def test_tools_and_guards_are_given_not_assumed() -> None:
    """Another company with other tools would be told about tools it does not have."""
    with pytest.raises(PromptError, match=r'escalate.md:\d+: guard "length" is unknown; known: none'):
        load_catalogue(SHIPPED, tool_facts(), frozenset())
