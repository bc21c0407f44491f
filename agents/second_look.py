"""Take a second look at a finished answer: does it say otherwise than the articles it leans on?

Why: a guard knows words, a model knows meanings; "up to 60 days" below an article that says 30 passes every pattern.
Called by run_specialist when the last word is shown and before the answer is closed, and only where the settings ask
for it. Nothing that goes wrong here changes the answer: without verdicts in time there is a fault in the routing line.
"""

from collections.abc import Awaitable, Callable

from agents.claims import claims_of
from agents.run import Emit, Look, Place
from agents.sources import Sources, citations_of
from agents.verdicts import SCHEMA, Findings, read_verdicts
from engine.base import EngineRequest, Replies
from engine.hearing import hear
from errors import EngineError
from events import AnswerCorrected, FaultSeen, GuardFired, Proof
from templates import render

_NAME = "second_look"


async def second_look(
    look: Look,
    text: str,
    sources: Sources,
    answered: EngineRequest,
    place: Place,
    notices: Replies,
    emit: Emit,
    is_shown: Callable[[], Awaitable[None]],
) -> str:
    """The correction that belongs below this answer; "" when there is nothing to correct, or nobody could tell.

    Args:
        text: The whole answer, as the customer reads it.
        answered: The request that it answers.
        is_shown: Returns when the answer is no guess any more; a wrong guess costs no second look.
    """
    claims = claims_of(text, sources)
    if not claims:
        return ""
    await is_shown()
    settings = look.prompt.settings
    request = EngineRequest(
        purpose="look",
        model=settings.model,
        max_tokens=settings.max_tokens,
        effort=settings.effort,
        thinking=settings.thinking,
        system=(look.prompt.system,),
        message=claims.data(answered.message),
        schema=SCHEMA,
        customer_hash=answered.customer_hash,
        is_optional=True,
    )
    try:
        findings = read_verdicts(await hear(look.engine, request, settings.deadline_s, _NAME, emit), claims)
    except EngineError as exc:
        emit(FaultSeen(code=exc.fault, where=_NAME, request_id=exc.request_id))
        emit(FaultSeen(code="second_look_missed", where=_NAME))
        return ""
    _tell(findings, look, place, emit)
    return _correction(findings.contradicted, notices, place.language) if findings.contradicted else ""


def _tell(findings: Findings, look: Look, place: Place, emit: Emit) -> None:
    for note in findings.notes:
        emit(GuardFired(guard=f"{_NAME}_note", what=note))
    if findings.contradicted:
        emit(GuardFired(guard=_NAME, what="contradicted"))
        emit(
            AnswerCorrected(
                message_id=place.message_id,
                prompt_version=look.prompt.version,
                proofs=findings.contradicted,
            )
        )


def _correction(proofs: tuple[Proof, ...], notices: Replies, language: str) -> str:
    """The company's fixed text, with our own sentences and the articles that hold. No word in it is the model's."""
    links = dict.fromkeys(f"[{citation.title}]({citation.url})" for citation in citations_of(proofs))
    values = {
        "sentences": " ".join(f"“{proof.sentence}”" for proof in proofs),
        "articles": ", ".join(links),
    }
    return render(notices.text(_NAME, language) or "", values)
