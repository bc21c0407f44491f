"""Every guard there is, by the name that prompt files use; made once at start from what the company brings."""

from collections.abc import Callable, Collection, Iterable, Mapping

from guards.competitors import competitors_guard
from guards.figures import figures_guard
from guards.instructions import instructions_guard
from guards.language import language_guard
from guards.length import length_guard
from guards.links import links_guard
from guards.persona import persona_guard
from guards.private import Contacts, private_guard
from guards.promises import promises_guard
from guards.stream import Guard
from knowledge.brand import Brand


def every_guard(
    brand: Brand,
    hosts: Callable[[], Collection[str]],
    contacts: Callable[[], Contacts],
    tools: Iterable[str],
) -> Mapping[str, Guard]:
    """The guards by name.

    Args:
        brand: The company's lists.
        hosts: Where links may lead besides `brand.hosts`: the hosts of the articles that are served now.
        contacts: The company's own phone numbers and e-mail addresses: those of `brand.contacts`, and of the articles.
        tools: Names of all tools; customers never read them.
    """
    competitors = [
        (name, rival.everyday) for rival in brand.competitor for name in (rival.name, *rival.aliases)
    ]
    guards = (
        competitors_guard(competitors),
        figures_guard(),
        instructions_guard(),
        language_guard(),
        length_guard(),
        links_guard(lambda: {*brand.hosts, *hosts()}),
        persona_guard(tools),
        private_guard(contacts),
        promises_guard(brand.promises),
    )
    return {guard.name: guard for guard in guards}
