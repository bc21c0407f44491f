"""Bind every thinking block to the model, the account and the prompt that led to it, and check it when it returns.

Why: replaying thinking after the system prompt, the tools or an earlier message changed is a 400, and so is sending
a tool result without the thinking that came with the call. Both look fine in a fake that does not remember.
Allowed: leaving out all thinking of finished turns, or the oldest blocks first.
"""

import base64
import hashlib
import itertools
from dataclasses import dataclass
from typing import TypeVar

from tests.simulation.content import Message, ThinkingBlock, ToolResultBlock, ToolUseBlock
from tests.simulation.errors import ApiError, invalid
from tests.simulation.prompt import Prompt
from tests.simulation.units import units_of

_KEEP = 10_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Seal:
    key: str
    model: str
    prefix: bytes
    text: str
    before: str | None


class Seals:
    """The signatures given out, and the thinking that belongs to each open call."""

    def __init__(self) -> None:
        self._given: dict[str, _Seal] = {}
        self._with_call: dict[str, tuple[str, ...]] = {}
        self._numbers = itertools.count()

    def issue(self, key: str, prompt: Prompt, text: str, earlier: tuple[str, ...] = ()) -> str:
        """A signature for thinking that follows this prompt and the thinking given `earlier` in the same reply."""
        before = [*(block.signature for _, block in _thinking(prompt)), *earlier]
        seal = _Seal(
            key, prompt.model, _prefix(prompt, len(prompt.messages)), text, before[-1] if before else None
        )
        number = f"{next(self._numbers)}|{key}|{prompt.model}".encode()
        signature = base64.b64encode(hashlib.blake2b(seal.prefix + number, digest_size=48).digest()).decode()
        _remember(self._given, signature, seal)
        return signature

    def attach(self, call_id: str, signatures: tuple[str, ...]) -> None:
        """Note that this call came with this thinking: its result must bring it back."""
        if signatures:
            _remember(self._with_call, call_id, signatures)

    def check(self, key: str, prompt: Prompt) -> None:
        """Refuse thinking that was changed, moved to another conversation, or left out where it is needed.

        Raises:
            ApiError: 400 with the place of the block.
        """
        previous: str | None = None
        for place, block in _thinking(prompt):
            seal = self._given.get(block.signature)
            if seal is None or seal.key != key or seal.text != block.thinking:
                raise _bad(place, "It was changed, or it was not made by this account.")
            if seal.model == prompt.model:
                self._check_binding(prompt, place, seal, previous)
            previous = block.signature
        self._check_open_calls(prompt)

    def _check_binding(
        self, prompt: Prompt, place: tuple[int, int], seal: _Seal, previous: str | None
    ) -> None:
        if seal.prefix != _prefix(prompt, place[0]):
            raise _bad(
                place,
                "The block is bound to a different conversation: tools, system or a message before it changed.",
            )
        if previous is not None and seal.before != previous:
            raise _bad(
                place,
                "The block is bound to a different conversation: thinking before it was left out or moved.",
            )

    def _check_open_calls(self, prompt: Prompt) -> None:
        """Within a tool loop the assistant messages must come back with their thinking."""
        if prompt.thinking is not None and prompt.thinking.type == "disabled":
            return
        for index in range(_open_from(prompt), len(prompt.messages)):
            message = prompt.messages[index]
            for block in message.blocks:
                wanted = self._with_call.get(block.id, ()) if isinstance(block, ToolUseBlock) else ()
                if wanted and self._given[wanted[0]].model == prompt.model and _signatures(message) != wanted:
                    raise invalid(
                        f"messages.{index}: the assistant message that holds a `tool_use` must be sent back unchanged "
                        "with its tool results; its `thinking` blocks are missing or changed."
                    )


def _remember(kept: dict[str, _T], name: str, value: _T) -> None:
    kept[name] = value
    while len(kept) > _KEEP:
        kept.pop(next(iter(kept)))


def _prefix(prompt: Prompt, messages: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for unit in units_of(prompt):
        if unit.message < messages:
            digest.update(f"{unit.kind}:{len(unit.data)}:".encode() + unit.data)
    return digest.digest()


def _thinking(prompt: Prompt) -> list[tuple[tuple[int, int], ThinkingBlock]]:
    return [
        ((index, at), block)
        for index, message in enumerate(prompt.messages)
        for at, block in enumerate(message.blocks)
        if isinstance(block, ThinkingBlock)
    ]


def _signatures(message: Message) -> tuple[str, ...]:
    return tuple(block.signature for block in message.blocks if isinstance(block, ThinkingBlock))


def _open_from(prompt: Prompt) -> int:
    """The first message after the customer's last words: where the unfinished turn begins."""
    for index in range(len(prompt.messages) - 1, -1, -1):
        message = prompt.messages[index]
        if message.role == "user" and not any(isinstance(block, ToolResultBlock) for block in message.blocks):
            return index + 1
    return 0


def _bad(place: tuple[int, int], why: str) -> ApiError:
    return invalid(
        f"messages.{place[0]}.content.{place[1]}: Invalid `signature` in `thinking` block. {why} Remove the block."
    )
