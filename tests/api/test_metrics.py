"""`GET /metrics` as Prometheus reads it, for ops only."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.desks import take_your_time
from tests.model_like import ModelLike
from tests.serving import local_settings, running
from tests.upstream import line_to

SECRET_WORDS = "Hello there, my number is 555-0100"


def _families(text: str) -> dict[str, dict[str, float]]:
    """Sample name -> labels -> value, read by Prometheus' own parser."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def test_prometheus_reads_what_happened_and_nobodys_words(tmp_path: Path) -> None:
    """Dashboards get turns, tokens, cost and load; what a customer wrote, and who they are, is not there."""
    async with (
        line_to(ModelLike({SECRET_WORDS: ("greeting", "en")})) as upstream,
        running(local_settings(tmp_path), upstream.engines) as server,
    ):
        take_your_time(server.house)
        reply = (await server.client.post("/chat", json={"message": SECRET_WORDS})).json()
        await server.client.get("/chat/unknown")
        response = await server.client.get("/metrics")
    figures = _families(response.text)

    assert response.headers["content-type"].startswith("text/plain; version=1.0.0")
    assert figures["frontdesk_turns_total"] == {"engine=claude,intent=greeting,outcome=answered": 1}
    assert set(figures["frontdesk_tokens_total"]) >= {"kind=input,model=claude-haiku-5-5"}
    assert sum(figures["frontdesk_cost_usd_total"].values()) > 0
    assert figures["frontdesk_responses_total"] == {"status=200": 1, "status=404": 1}
    assert figures["frontdesk_turns_limit"][""] > 0
    assert figures["frontdesk_turns_under_way"] == {"": 0}
    assert figures["frontdesk_breaker_open"] == {"name=claude-haiku-5-5": 0}
    assert figures["frontdesk_retries_left"][""] > 0
    for secret in ("555-0100", reply["conversation_id"], reply["turn_id"], reply["visitor_token"]):
        assert secret not in response.text


async def test_figures_are_for_ops_only(tmp_path: Path) -> None:
    """What a company spends and how busy it is are nobody else's business."""
    async with running(local_settings(tmp_path, FRONTDESK_OPS_TOKEN="the-token-of-ops")) as server:
        refused = await server.client.get("/metrics")
        shown = await server.client.get("/metrics", headers={"Authorization": "Bearer the-token-of-ops"})
    async with running(local_settings(tmp_path)) as server:
        forwarded = await server.client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"})
        here = await server.client.get("/metrics")

    assert (refused.status_code, forwarded.status_code) == (401, 401)
    assert (shown.status_code, here.status_code) == (200, 200)
    assert "frontdesk_retries_left" not in here.text  # there is no API to ask again
