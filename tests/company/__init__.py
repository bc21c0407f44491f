"""A company's own back end for tests, on loopback, and the ways in which it goes wrong.

async with Company(lambda call: Answer.of({"price": "84.50"}), token="t") as company:
    company.faults += [drops(), plain]
    ...
    assert company.keys == ["k1", "k1"]
    assert company.effects == {"k1": 1}
"""

from tests.company.server import Answer, Call, Company, Exchange, Fault, plain

__all__ = ["Answer", "Call", "Company", "Exchange", "Fault", "plain"]
