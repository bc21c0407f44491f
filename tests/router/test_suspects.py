"""Only what stays as it was for as long as the living need to speak up is a dead server's."""

from collections.abc import Mapping

from router.suspects import RENEW_S, SURE_S, Suspects
from store.leases import GIVEN_UP_S

LOOK_S = 0.25
A_MOMENT_S = 0.01


class Looking:
    """A server that looks again and again, at times that the test says."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self._suspects = Suspects(lambda: self.now_s)

    def finds(self, lapsed: Mapping[str, float], for_s: float = 0.0) -> set[str]:
        """Whom it is sure of after having seen this for so long."""
        sure = self._suspects.sure(lapsed)
        ends_s = self.now_s + for_s
        while self.now_s < ends_s:
            self.now_s = min(self.now_s + LOOK_S, ends_s)
            sure = self._suspects.sure(lapsed)
        return set(sure)


def test_a_lease_is_a_dead_servers_when_it_stays_as_it_was() -> None:
    """Its customers wait for the next server, which looks more often than once."""
    server = Looking()

    assert server.finds({"a": 7.0}, SURE_S - A_MOMENT_S) == set()
    server.now_s += 2 * A_MOMENT_S
    assert server.finds({"a": 7.0, "b": 7.5}) == {"a"}


def test_after_an_outage_the_living_have_time_to_renew() -> None:
    """All leases have run out when the database is back; no server may take what another one is at work on."""
    server = Looking()

    assert server.finds({"alive": 7.0, "dead": 7.0}, SURE_S - A_MOMENT_S) == set()
    server.now_s += 100  # the database is away, and nobody can look
    assert server.finds({"alive": 7.0, "dead": 7.0}, RENEW_S) == set()
    assert server.finds({"dead": 7.0}, SURE_S) == {"dead"}


def test_a_lease_that_was_renewed_in_between_is_looked_at_anew() -> None:
    """A server that is late again and again is alive."""
    server = Looking()
    for until_s in (7.0, 9.0, 11.0):
        assert server.finds({"a": until_s}, SURE_S - A_MOMENT_S) == set()

    assert server.finds({"a": 11.0}, SURE_S) == {"a"}


def test_what_was_given_up_at_a_stop_is_taken_at_once() -> None:
    """A restart does not cost the customers who wait a second look."""
    assert Looking().finds({"a": GIVEN_UP_S, "b": 7.0}) == {"a"}
