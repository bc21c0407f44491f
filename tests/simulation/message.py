"""The JSON of an answer: the message itself, its usage, and the two events that carry them in a stream."""

from dataclasses import dataclass

from tests.simulation.cache import InputUsage
from tests.simulation.content import JsonObject
from tests.simulation.rendering import Rendered
from tests.simulation.reply import Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered reply with everything that stands around it."""

    message_id: str
    model: str
    reply: Reply
    rendered: Rendered
    input: InputUsage

    def whole(self) -> JsonObject:
        """The message as one body."""
        return {
            **self._frame(),
            "content": [block.final for block in self.rendered.blocks],
            **self._stop(),
            "usage": self._usage(self.rendered.tokens),
        }

    def start(self) -> JsonObject:
        """The message_start event: no content, no stop reason, one output token."""
        empty: JsonObject = {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
        message: JsonObject = {**self._frame(), **empty, "usage": self._usage(min(1, self.rendered.tokens))}
        return {"type": "message_start", "message": message}

    def end(self) -> JsonObject:
        """The message_delta event: stop reason and usage so far."""
        usage = self._usage(self.rendered.tokens)
        shown = {
            name: value for name, value in usage.items() if name not in {"cache_creation", "service_tier"}
        }
        return {"type": "message_delta", "delta": self._stop(), "usage": shown}

    def _frame(self) -> JsonObject:
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "container": None,
            "diagnostics": None,
        }

    def _stop(self) -> JsonObject:
        return {
            "stop_reason": self.rendered.stop_reason,
            "stop_sequence": self.rendered.stop_sequence,
            "stop_details": self.reply.stop_details,
        }

    def _usage(self, output_tokens: int) -> JsonObject:
        usage: JsonObject = {
            "input_tokens": self.input.fresh,
            "cache_creation_input_tokens": self.input.written,
            "cache_read_input_tokens": self.input.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.input.written_5m,
                "ephemeral_1h_input_tokens": self.input.written_1h,
            },
            "output_tokens": output_tokens,
            "output_tokens_details": {"thinking_tokens": min(self.rendered.thinking_tokens, output_tokens)},
            "service_tier": "standard",
        }
        return {**usage, **self.reply.usage}
