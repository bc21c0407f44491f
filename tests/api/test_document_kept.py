"""The running server keeps to its own OpenAPI document, whatever a client sends: schemathesis tries each operation.

What it does is bounded: chosen values and a few of chance for each parameter, always the same ones. About 10 s.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.serving import local_settings, running
from tests.waiting import PATIENCE_S

LENIENT = "positive_data_acceptance"  # AG-UI knows more kinds of messages than the document repeats
CONFIG = Path(__file__).with_name("schemathesis.toml")


async def _tried(folder: Path, url: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Every request with its response; what it complains of fails the test."""
    har = folder / "har.json"
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(CONFIG),
            "run",
            f"{url}/openapi.json",
        ),
        *("--phases", "coverage,fuzzing", "--max-examples", "3", "--generation-deterministic"),
        *("--checks", "all", "--exclude-checks", LENIENT, "--continue-on-failure", "--no-color"),
        *("--report", "har", "--report-har-path", str(har)),
        cwd=folder,
        env={**os.environ, **environment},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, printed.decode()
    entries: list[dict[str, Any]] = json.loads(har.read_text(encoding="utf-8"))["log"]["entries"]
    return entries


async def test_no_request_gets_what_the_document_does_not_say(tmp_path: Path) -> None:
    """Somebody's generated client would meet a crash, or an answer that it has no type for."""
    async with running(local_settings(tmp_path, FRONTDESK_CALLER_LIMIT="off")) as server:
        reply = (await server.client.post("/chat", json={"message": "Hello!"})).json()
        ids = {"CONVERSATION": reply["conversation_id"], "TURN": reply["turn_id"]}
        document = (await server.client.get("/openapi.json")).json()
        entries = await _tried(tmp_path, server.url, {**ids, "VISITOR": reply["visitor_token"]})

    answered = set[tuple[str, str]]()
    for entry in entries:
        path = urlsplit(entry["request"]["url"]).path
        path = path.replace(ids["CONVERSATION"], "{conversation_id}").replace(ids["TURN"], "{turn_id}")
        if entry["response"]["status"] in {200, 201}:
            answered.add((entry["request"]["method"].lower(), path))
    assert answered == {(method, path) for path, methods in document["paths"].items() for method in methods}
