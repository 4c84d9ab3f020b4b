"""One of the processes that `ganzoo.parallel.launch` starts: trains a run folder together with the others."""

from __future__ import annotations

import sys

from ganzoo import parallel
from ganzoo.display import Display, Lines
from ganzoo.errors import GanzooError
from ganzoo.runs import Run
from ganzoo.training import plan_of, prepare


def main(folder: str) -> int:
    with parallel.group():
        display = Lines() if parallel.is_leader() else Display()
        run = Run.open(folder)
        try:
            prepare(plan_of(run), display).train(run, display)
        except KeyboardInterrupt:
            return 0  # stopped as asked, with a checkpoint; the starting process says so
        except GanzooError as error:
            if parallel.is_leader():
                print(f"Error: {error}", file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
