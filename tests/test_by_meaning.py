"""A desk with a key for embeddings: found by words and by meaning; without a key nothing of it is even loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

import build
from errors import ConfigError
from settings import ROOT
from tests.desks import kept_desk, settings_for, small_prompts
from tests.embeddings import KEY, vendor
from tests.serving import local_settings
from tests.waiting import until

SAME = {"juice": "charge", "nicked": "stolen"}


def _article(number: int, title: str, text: str) -> str:
    return f"---\ntitle: {title}\nurl: https://example.com/{number}\nlanguage: en\nupdated: 2026-01-01\n---\n\n{text}\n"


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """Two articles."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "home.md").write_text(
        _article(1, "At home", "You may charge the car at home."), encoding="utf-8"
    )
    (folder / "theft.md").write_text(_article(2, "Theft", "A stolen car is paid for."), encoding="utf-8")
    return folder


async def test_what_shares_no_word_with_the_question_is_found_by_its_meaning(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the setting to the search tool: other words, a saved article, and a vendor that goes away."""
    monkeypatch.setattr(build, "_CACHE", tmp_path / "var")
    small_prompts(tmp_path)
    async with vendor(same=SAME) as there:
        settings = settings_for(
            tmp_path,
            FRONTDESK_KNOWLEDGE=articles,
            FRONTDESK_EMBEDDINGS_URL=there.url,
            FRONTDESK_EMBEDDINGS_FLOOR=0.3,
            VOYAGE_API_KEY=KEY,
        )
        async with kept_desk(settings) as keeper:
            knowledge = keeper.parts.knowledge

            async def found(query: str) -> list[str]:
                return [passage.title for passage in await knowledge.search(query, "en", 3)]

            await until(lambda: knowledge.by_meaning == "ok")
            assert await found("nicked") == ["Theft"]
            assert await found("xyzzy plugh") == []
            assert (await found("is a stolen car paid for"))[0] == "Theft"
            save = (articles / "tyres.md").write_text
            save(_article(3, "Tyres", "Worn rubber is not covered."), encoding="utf-8")
            await until(lambda: "Tyres\nWorn rubber is not covered." in there.texts)
            await until(lambda: knowledge.by_meaning == "ok")
            there.goes_on.clear()
            assert (await found("is a stolen car paid for"))[0] == "Theft"
            assert await found("qwrtz bnmkl") == []
            assert knowledge.by_meaning == "embedding_failed"

    assert (tmp_path / "var" / "embeddings" / "voyage-4.npz").is_file()


def test_without_a_key_nothing_of_it_is_loaded() -> None:
    """A start would take longer, and need a package that is not always there."""
    program = "import sys, server, settings; from build import build_parts\nparts = build_parts(settings.Settings.read(FRONTDESK_ENGINE='local'))\nprint(parts.knowledge.by_meaning, 'numpy' in sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["off", "False"]


def test_a_key_without_the_package_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator reads what to install."""
    for name in ("knowledge.meaning", "knowledge.voyage", "knowledge.vectorfile", "numpy"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ConfigError, match=r"^setting VOYAGE_API_KEY: .*embeddings"):
        build.build_parts(local_settings(tmp_path, VOYAGE_API_KEY=KEY))
    assert build.build_parts(local_settings(tmp_path, VOYAGE_API_KEY=" ")).knowledge.by_meaning == "off"
