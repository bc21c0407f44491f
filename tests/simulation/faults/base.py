"""What a fault may do to one request: answer in its place, change the reply, or change how it is sent."""

from tests.simulation.acts import Acts
from tests.simulation.reply import Reply


class Fault:
    """One thing that goes wrong with one request. This one does nothing: the request is answered well."""

    def instead(self, body_bytes: int, request_id: str) -> Acts | None:
        """The acts that take the place of the answer, or None to answer."""
        del body_bytes, request_id
        return None

    def reshape(self, reply: Reply) -> Reply:
        """The reply as the faulty model gives it."""
        return reply

    def restage(self, acts: Acts) -> Acts:
        """The acts as the faulty line carries them."""
        return acts


class Ok(Fault):
    """A good answer; holds a place in a timeline."""
