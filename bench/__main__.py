"""Run every benchmark, one after the other: `make bench`. Each prints a small table."""

import platform
import runpy
import sys
from pathlib import Path

BENCHMARKS = (
    "routing",
    "retrain",
    "retrieval",
    "retrieval_postgres",
    "answers",
    "screen",
    "speculation",
    "guards",
    "turns",
    "overload",
    "load",
)


def main() -> None:
    """Run all, or those named on the command line."""
    print(f"Python {platform.python_version()}, {Path(sys.executable).resolve()}")
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n=== {name} ===", flush=True)
        sys.argv = [f"bench.{name}"]
        runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
