"""Serve the simulation by hand: python -m tests.simulation --port 9099 --label-ms 350 --first-text-ms 800."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from tests.simulation.brains import echo
from tests.simulation.demo import demo
from tests.simulation.server import API_KEY, Simulation
from tests.simulation.timing import Timing


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; prints the two settings that a client needs."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        return 0
    return 0


async def serve(options: argparse.Namespace) -> None:
    """Serve with these options until cancelled."""
    timing = Timing(options.label_ms, options.first_text_ms, options.chunk_ms, options.chunk_chars)
    brain = echo if options.brain == "echo" else demo
    async with Simulation(
        brain, api_key=options.key, port=options.port, timing=timing, keep_requests=100
    ) as simulation:
        for plan in options.faults:
            model, _, script = plan.partition("=")
            simulation.faults(model, script)
        lines = [f"export {name}={value}" for name, value in simulation.environment.items()]
        sys.stdout.write("\n".join([*lines, "# Serving; Ctrl-C ends it.", ""]))
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description="A simulated Claude Messages API."
    )
    parser.add_argument("--port", type=int, default=9099, help="0 lets the system choose (default 9099)")
    parser.add_argument("--key", default=API_KEY, help="the only API key that is let in")
    parser.add_argument(
        "--label-ms", type=float, default=350, help="until the answer to a classifier request"
    )
    parser.add_argument(
        "--first-text-ms", type=float, default=800, help="until the first text of other answers"
    )
    parser.add_argument("--chunk-ms", type=float, default=20, help="between two pieces of a stream")
    parser.add_argument("--chunk-chars", type=int, default=24, help="characters in a piece")
    parser.add_argument("--brain", choices=["demo", "echo"], default="demo")
    parser.add_argument(
        "--faults",
        action="append",
        default=[],
        metavar="MODEL=SCRIPT",
        help='for example "claude-haiku-5-5=429:1, ok, 529x3"; * stands for every model; may be repeated',
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
