"""What the pipeline costs beside what a user would write instead: `make bench`.

    python -m tests.benchmarks [SUITE ...] [--quick] [--images FOLDER] [--work FOLDER] [--keep]

Ours and its peer run in turn, on the same images, each in a process of its own. Prints the table
and the costs as Markdown; --keep adds them to RESULTS.md, history.jsonl and results.svg beside this
file.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.suites import SUITES, Bench

_HERE = Path(__file__).parent
_QUICK = ("convert", "data", "training", "start")


def main() -> None:
    """Measures, prints, keeps."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--quick", action="store_true", help="one round of what is short")
    parser.add_argument("--images", type=Path, default=Path("../shared/chest_xray"))
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="gets 5 GB of files")
    parser.add_argument("--rounds", type=int, help="of what is short")
    parser.add_argument("--keep", action="store_true", help="add the figures to the history")
    options = parser.parse_args()
    if not options.images.is_dir():
        sys.exit(f"{options.images} is not a folder. Name one of X-rays: make bench IMAGES=FOLDER")
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        sys.exit(f"There is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}.")
    chosen = options.suites or (_QUICK if options.quick else tuple(SUITES))
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        work=options.work.resolve(),
        images=options.images.resolve(),
        rounds=options.rounds or (1 if options.quick else 5),
        epochs=2,
    )
    for name in SUITES:
        if name in chosen:
            SUITES[name](bench)
    measured = results.entry(bench.found, bench.costs)
    text = results.markdown(measured)
    print(text)
    (options.work / "results.json").write_text(json.dumps(measured, indent=2) + "\n")
    if options.keep:
        history = results.append(measured, _HERE / "history.jsonl")
        (_HERE / "results.svg").write_text(results.plot(history))
        page = _HERE / "RESULTS.md"
        head, mark, _ = page.read_text().partition("<!-- figures -->\n")
        page.write_text(f"{head}{mark}\n{text}\n")


if __name__ == "__main__":
    main()
