"""The desk is put together from the settings, and follows its folders while it is open."""

import random
import shutil
import time
from pathlib import Path

import pytest
import structlog

from build import build_parts, cache_of, load_prompts, open_engines
from engine.failover import Failover
from engine.local import Local
from errors import ConfigError
from guards.chain import Chain
from guards.stream import Scene
from liveknowledge import LiveKnowledge
from settings import ROOT, Settings
from tests.agents.folders import edit
from tests.desks import kept_desk, settings_for, small_prompts
from tests.waiting import until

OFTEN_S = 0.01
CORPUS = ROOT / "knowledge" / "corpus"


def _save(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _move(path: Path, target: Path) -> None:
    path.rename(target)


def _remove(folder: Path) -> None:
    for path in folder.rglob("*.md"):
        path.unlink()


def test_a_company_with_a_quote_service_needs_no_tariff(tmp_path: Path) -> None:
    """Its own prices count; a rating table that nobody keeps up to date must not stop the start."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (tmp_path / "tariff.toml").write_text("nobody keeps this", encoding="utf-8")
    remote = settings_for(
        tmp_path,
        FRONTDESK_KNOWLEDGE=corpus,
        FRONTDESK_QUOTE_URL="https://quotes.example",
        FRONTDESK_QUOTE_TOKEN="t",
    )

    assert len(build_parts(remote).services) == 1
    with pytest.raises(ConfigError, match="tariff"):
        build_parts(settings_for(tmp_path, FRONTDESK_KNOWLEDGE=corpus))
    assert build_parts(settings_for(tmp_path)).services == ()


@pytest.mark.quick_time
async def test_an_edited_prompt_is_live_within_two_seconds(tmp_path: Path) -> None:
    """A prompt engineer would wonder whether a change is served; a turn under way must not change its mind."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path)) as keeper:
        under_way = keeper.current()
        before = under_way.catalogue.specialists["greeting"].version
        saved = time.monotonic()
        edit(folder / "greeting.md", "at the front door", "at the door")
        await until(lambda: keeper.current() is not under_way)
        took_s = time.monotonic() - saved
        now = keeper.current().catalogue.specialists["greeting"]

    assert took_s <= 1  # the other second is left for the reading itself
    assert now.version != before
    assert "at the door" in now.system[1]
    assert under_way.catalogue.specialists["greeting"].version == before
    assert keeper.stale is None


async def test_an_edit_without_new_lines_trains_nothing(tmp_path: Path) -> None:
    """Every comma in a prompt would cost seconds of computing."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        before = keeper.current()
        edit(folder / "greeting.md", "at the front door", "at the door")
        await until(lambda: keeper.current() is not before)
        _save(tmp_path / "prompts" / "quote.md", (folder / "quote.md").read_bytes() + b"\n")
        seen = keeper.current().catalogue.version
        await until(lambda: keeper.current().catalogue.version != seen)

        assert keeper.current().classifier is before.classifier


async def test_a_new_intent_is_learned_while_the_desk_is_open(tmp_path: Path) -> None:
    """A new file would need a restart before anything is routed to it."""
    folder = small_prompts(tmp_path)
    text = (folder / "greeting.md").read_text(encoding="utf-8").replace("intent: greeting", "intent: boats")
    head, _, _ = text.partition("# Utterances")
    lines = "".join(f"my boat number {number} needs a new sail and an anchor\n" for number in range(20))
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        _save(folder / "boats.md", f"{head}# Utterances\n{lines}".encode())
        await until(lambda: "boats" in keeper.current().catalogue.intents)
        await until(lambda: "boats" in keeper.current().classifier.intents)

        assert keeper.current().classifier.classify("my boat has lost its anchor").intent == "boats"


async def test_the_newest_edit_is_what_is_learned(tmp_path: Path) -> None:
    """The lines of an edit that was taken back would stay in the classifier."""
    folder = small_prompts(tmp_path)
    path = folder / "greeting.md"
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        first = keeper.current()
        for line in ("aloha kakahiaka", "bula vinaka"):
            before = keeper.current().catalogue
            _save(path, path.read_bytes() + f"{line}\n".encode())
            await until(lambda known=before: keeper.current().catalogue is not known)  # type: ignore[misc]
        await until(lambda: keeper.current().classifier is not first.classifier)
        learned = [example.text for example in keeper.current().classifier.closest("bula vinaka", 1)]

        assert learned == ["bula vinaka"]


@pytest.mark.fault("P10")
async def test_a_broken_prompt_leaves_the_last_good_one_serving(tmp_path: Path) -> None:
    """A typing error would take the desk down, or nobody would notice it."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        good, whole = keeper.current(), (folder / "quote.md").read_bytes()
        with structlog.testing.capture_logs() as lines:
            line = edit(folder / "quote.md", "effort: low", "efort: low")
            await until(lambda: keeper.stale is not None)
        reason = 'unknown key "efort"; known: intent, description, label, model, max_tokens, effort, thinking, tools, guards, says_back, speculate, extends, act_at, triggers'

        assert keeper.stale == f"prompts/quote.md:{line}: {reason}"
        assert keeper.current() is good
        assert {
            "event": "prompt.rejected",
            "log_level": "error",
            "code": "prompt_rejected",
            "file": "prompts/quote.md",
            "line": line,
            "reason": reason,
        } in lines

        _save(folder / "quote.md", whole)
        await until(lambda: keeper.stale is None)

        assert keeper.current().catalogue.version == good.catalogue.version


@pytest.mark.fault("P10")
@pytest.mark.parametrize("name", ["quote.md", "_notices.md", "classifier.md", "_lexicon.md"])
async def test_a_deleted_file_leaves_the_last_good_desk_serving(name: str, tmp_path: Path) -> None:
    """A slip with the mouse would take an intent, its notices or its words away from customers."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        good = keeper.current()
        _move(folder / name, tmp_path / name)
        await until(lambda: keeper.stale is not None)

        assert keeper.current() is good

        _move(tmp_path / name, folder / name)
        await until(lambda: keeper.stale is None)

        assert keeper.current().catalogue.version == good.catalogue.version


@pytest.mark.fault("P10")
async def test_half_written_files_are_never_served(tmp_path: Path) -> None:
    """A turn would be answered with half of its guardrails."""
    folder = small_prompts(tmp_path)
    dice = random.Random(11)
    names = sorted(path.name for path in folder.glob("*.md"))
    whole = {name: (folder / name).read_bytes() for name in names}
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        good = keeper.current().catalogue.version
        served: set[str] = set()
        for _ in range(50):
            name = dice.choice(names)
            cut = dice.randrange(len(whole[name]))
            while cut and whole[name][cut - 1 : cut] == b"\n":
                cut -= 1  # a file that ends with a whole line may well be meant so
            keeper.stale = None
            _save(folder / name, whole[name][:cut])
            await until(lambda: keeper.stale is not None)
            served.add(keeper.current().catalogue.version)
            _save(folder / name, whole[name])
            if dice.random() < 0.3:
                await until(lambda: keeper.stale is None)
        await until(lambda: keeper.stale is None)
        served.add(keeper.current().catalogue.version)

    assert served == {good}


async def test_a_folder_that_changed_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    """Two files of two states would be served together."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path), look_every_s=60) as keeper:
        good = keeper.current()
        edit(folder / "greeting.md", "at the front door", "at the door")

        assert await keeper._reload(keeper._seen) is None
        assert keeper.current() is good


@pytest.mark.fault("P10")
async def test_a_folder_that_went_away_leaves_the_desk_open(tmp_path: Path) -> None:
    """A lost network drive would close the desk."""
    folder = small_prompts(tmp_path)
    async with kept_desk(settings_for(tmp_path), OFTEN_S) as keeper:
        good = keeper.current()
        _move(folder, tmp_path / "elsewhere")
        await until(lambda: keeper.stale is not None)

        assert "no classifier.md here" in str(keeper.stale)
        assert keeper.current() is good


@pytest.mark.fault("T6")
async def test_articles_are_followed_too(tmp_path: Path) -> None:
    """A corrected article would be cited in its old words until a restart."""
    small_prompts(tmp_path)
    corpus = tmp_path / "corpus"
    shutil.copytree(CORPUS, corpus)
    async with kept_desk(settings_for(tmp_path, FRONTDESK_KNOWLEDGE=corpus), OFTEN_S) as keeper:
        knowledge = keeper.parts.knowledge
        whole = knowledge.passages
        assert await knowledge.search("deductible", "en", 1)
        with structlog.testing.capture_logs() as lines:
            _save(corpus / "en" / "claims.md", b"no front matter\n")
            await until(lambda: knowledge.passages < whole)
            _remove(corpus)
            await until(lambda: any(line.get("code") == "kb_empty" for line in lines))

    assert knowledge.passages == 0
    assert await knowledge.search("deductible", "en", 1) == ()
    assert [(line["event"], line["code"]) for line in lines if "code" in line] == [
        ("article.rejected", "kb_rejected_doc"),
        ("knowledge.emptied", "kb_empty"),
    ]


@pytest.mark.fault("P11")
def test_a_bad_prompt_stops_the_start(tmp_path: Path) -> None:
    """A desk would open with an intent that cannot answer."""
    folder = small_prompts(tmp_path)
    edit(folder / "quote.md", "tools: [get_quote", "tools: [get_qoute")
    settings = settings_for(tmp_path)

    with pytest.raises(ConfigError, match='tool "get_qoute" is unknown'):
        load_prompts(settings, build_parts(settings))


def test_a_second_look_needs_its_prompt(tmp_path: Path) -> None:
    """An operator would believe that answers are checked, and none would be."""
    (small_prompts(tmp_path) / "second_look.md").unlink()
    settings = settings_for(tmp_path, FRONTDESK_SECOND_LOOK="on")

    with pytest.raises(
        ConfigError, match=r"FRONTDESK_SECOND_LOOK: on needs a file second_look\.md in .*prompts;"
    ):
        load_prompts(settings, build_parts(settings))


def test_a_company_brings_its_own_tariff(tmp_path: Path) -> None:
    """Another company would sell at the demo company's prices; articles alone need no tariff."""
    (tmp_path / "corpus").mkdir()
    settings = settings_for(tmp_path, FRONTDESK_KNOWLEDGE=tmp_path / "corpus")
    assert build_parts(settings).knowledge.passages == 0

    (tmp_path / "tariff.toml").write_text("currency = 'EUR'", encoding="utf-8")
    with pytest.raises(ConfigError, match="tariff"):
        build_parts(settings)


def test_a_company_brings_its_own_customers_or_none(tmp_path: Path) -> None:
    """The demo's people would appear at another company; and a slip in its file stops the start, with its place."""
    (tmp_path / "corpus").mkdir()
    settings = settings_for(tmp_path, FRONTDESK_KNOWLEDGE=tmp_path / "corpus")
    assert build_parts(settings).customers is None

    (tmp_path / "customers.toml").write_text('[[customer]]\nid = "C-1"\n', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"customers\.toml: customer / row 1 / name: Field required; add this key"
    ):
        build_parts(settings)


async def test_without_a_key_the_local_engine_answers() -> None:
    """A fresh machine would not start."""
    async with open_engines(Settings.read(FRONTDESK_ENGINE="auto")) as engines:
        assert isinstance(engines.answer, Local)
        assert engines.label is None
        assert not engines.expects_claude


async def test_with_a_key_claude_answers_and_the_local_engine_stands_by() -> None:
    """A key would have no effect, or an outage would end in silence."""
    async with open_engines(Settings.read(ANTHROPIC_API_KEY="sk-test")) as engines:
        assert isinstance(engines.answer, Failover)
        assert engines.label is not None
        assert engines.expects_claude
        assert engines.states() == {}


def test_trials_do_not_push_out_the_desks_own_classifier(tmp_path: Path) -> None:
    """Every test run or trial with other prompts would make the next start slower."""
    own = cache_of(Settings.read())
    other = cache_of(settings_for(tmp_path))

    assert own == ROOT / "var"
    assert other != own
    assert own in other.parents


def test_a_company_without_lists_of_its_own_gets_nobody_elses(tmp_path: Path) -> None:
    """Links to its own articles work, and names that only the demo company avoids are ordinary names."""
    (tmp_path / "corpus").mkdir()
    article = "---\ntitle: Hi\nurl: https://help.example/a\nlanguage: en\n---\nHello there.\n"
    (tmp_path / "corpus" / "hi.md").write_text(article, encoding="utf-8")
    guards = build_parts(Settings.read(FRONTDESK_KNOWLEDGE=tmp_path / "corpus")).guards
    chain = Chain(("competitors", "links"), guards, Scene())
    said = "GEICO [here](https://help.example/a), not [there](https://www.acme-insurance.example/)."

    assert chain.push(said)[0] + chain.end()[0] == "GEICO [here](https://help.example/a), not there."


def test_the_shipped_guards_are_those_that_prompts_name() -> None:
    """A guard would be known under another name than its own."""
    assert all(name == guard.name for name, guard in build_parts(Settings.read()).guards.items())
    assert LiveKnowledge(CORPUS).passages > 400
