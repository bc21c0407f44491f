"""Ops see what each cited sentence leans on, and whether it still stands there: over real HTTP, on both engines."""

import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest

from settings import ROOT
from tests.model_like import ModelLike
from tests.serving import local_settings, running
from tests.simulation import Cited, MessageRequest, Reply, Simulation, Text

QUESTION = "Does it cover the battery if it degrades?"


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """The shipped articles, in a folder of the test's own."""
    return shutil.copytree(ROOT / "knowledge" / "corpus", tmp_path / "corpus")


async def _asked(client: httpx2.AsyncClient) -> tuple[dict[str, Any], str]:
    """The reply, and the address of the turn's trace."""
    reply: dict[str, Any] = (await client.post("/chat", json={"message": QUESTION})).json()
    return reply, f"/ops/turns/{reply['turn_id']}"


async def _proofs(client: httpx2.AsyncClient, trace: str) -> list[dict[str, Any]]:
    response = await client.get(trace)
    assert response.status_code == 200, response.text
    proofs: list[dict[str, Any]] = response.json()["citations"]
    return proofs


def _check_places(proofs: list[dict[str, Any]], reply: dict[str, Any], articles: Path) -> None:
    """Each proof is of a sentence that was shown and of words that stand in the file, just there."""
    assert {(proof["title"], proof["url"], proof["quote"]) for proof in proofs} == {
        (citation["title"], citation["url"], citation["quote"]) for citation in reply["citations"]
    }
    for proof in proofs:
        text = (articles / proof["file"]).read_text(encoding="utf-8")
        assert proof["sentence"] in reply["text"]
        assert "".join(proof["quote"].split()) in "".join(text[proof["start"] : proof["end"]].split())
        assert proof["source"].startswith(f"{proof['url']}#")


async def test_one_changed_byte_makes_a_proof_stale(articles: Path, tmp_path: Path) -> None:
    """Ops would take an answer for proved although the article says something else by now."""
    async with running(local_settings(tmp_path, FRONTDESK_KNOWLEDGE=articles)) as server:
        reply, trace = await _asked(server.client)
        proofs = await _proofs(server.client, trace)
        _check_places(proofs, reply, articles)
        file = articles / proofs[0]["file"]
        raw = file.read_bytes()
        file.write_bytes(raw.replace(b"70%", b"71%", 1))
        changed = await _proofs(server.client, trace)
        file.write_bytes(raw)
        restored = await _proofs(server.client, trace)
        file.unlink()
        gone = await _proofs(server.client, trace)

    assert {proof["state"] for proof in proofs} == {"ok"}
    assert {proof["state"] for proof in changed if articles / proof["file"] == file} == {"stale"}
    assert restored == proofs
    assert {proof["state"] for proof in gone if articles / proof["file"] == file} == {"stale"}


async def test_a_turn_without_proofs_can_be_read(tmp_path: Path) -> None:
    """The trace of a greeting, or of any turn from before proofs were kept, would be an error."""
    async with running(local_settings(tmp_path)) as server:
        reply = (await server.client.post("/chat", json={"message": "hello"})).json()

        assert await _proofs(server.client, f"/ops/turns/{reply['turn_id']}") == []


async def test_claude_may_cite_several_passages_and_their_neighbours(articles: Path, tmp_path: Path) -> None:
    """What Claude read around a hit, and several sentences at once, would be answers without a source."""
    labels = ModelLike({QUESTION: ("product_info", "en")})
    said = "The battery is covered, and here is how."

    def brain(request: MessageRequest) -> Reply:
        if "search_knowledge" not in {answer.name for answer in request.answers}:
            return labels(request)
        passage = next(passage for passage in request.answers[-1].passages if len(passage.content) > 2)
        several = Cited(said, passage.source, start=0, end=3)
        return Reply.of(several, Text(" "), Cited(said, passage.source, start=2))

    async with Simulation(brain) as simulation:
        keys: dict[str, object] = {**simulation.environment, "FRONTDESK_ENGINE": "claude"}
        async with running(local_settings(tmp_path, FRONTDESK_KNOWLEDGE=articles, **keys)) as server:
            reply, trace = await _asked(server.client)
            proofs = await _proofs(server.client, trace)

    assert reply["engine"] == "claude"
    assert len(reply["citations"]) == 3
    assert len({citation["url"] for citation in reply["citations"]}) == 1
    _check_places(proofs, reply, articles)
    assert {proof["sentence"] for proof in proofs} == {said}
    assert {proof["state"] for proof in proofs} == {"ok"}
