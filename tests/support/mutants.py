"""Mutation testing of a module, a sample: `PYTHONPATH=tests python -m support.mutants MODULE.py TESTS…`.

After `--` TESTS may be whatever pytest takes, such as `-k "not slow"`.

One change at a time to a copy of the package: a comparison turned, `and` for `or`, a number one larger, a `not`
left out, a truth value turned. Each is tested in a process of its own. What the tests pass survives, and is printed.
docs/reliability.md has what it found.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TURNED: dict[type[ast.AST], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def mutable(node: ast.AST) -> bool:
    """Whether there is a change for such a node."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (bool, int))
    return isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def mutate(node: ast.AST) -> None:
    """Changes it in place."""
    if isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1
    elif isinstance(node, ast.Compare):
        node.ops[0] = TURNED[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)


def survives(tests: list[str], copied: Path, seconds: int) -> bool:
    """Whether the tests pass with the copied package, in a child of this process, which has imported torch already."""
    child = os.fork()
    if not child:
        os.chdir(ROOT)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # of the processor, however busy the machine is
        signal.alarm(20 * seconds)
        sys.path.insert(0, str(copied))
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])))
    return os.waitpid(child, 0)[1] == 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("module", type=Path)
    options.add_argument("tests", nargs="+")
    options.add_argument("--mutants", type=int, default=60)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--seconds", type=int, default=120, help="of the processor, for one; a hang counts as found")
    asked = options.parse_args()
    import pytest  # noqa: F401  # these once, for all children
    import torchvision  # noqa: F401

    tree = ast.parse((ROOT / asked.module).read_text(encoding="utf-8"))
    places = [index for index, node in enumerate(ast.walk(tree)) if mutable(node)]
    chosen = sorted(random.Random(asked.seed).sample(places, min(asked.mutants, len(places))))
    left = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "ganzoo", Path(folder, "ganzoo"))
        assert survives(asked.tests, Path(folder), 10 * asked.seconds), "The tests fail without a change."
        for tried, index in enumerate(chosen, 1):
            changed = copy.deepcopy(tree)
            node = list(ast.walk(changed))[index]
            line, before = getattr(node, "lineno", 0), ast.unparse(node)
            mutate(node)
            Path(folder, asked.module).write_text(ast.unparse(changed), encoding="utf-8")
            if survives(asked.tests, Path(folder), asked.seconds):
                left += 1
                print(f"{asked.module}:{line}: {before} -> {ast.unparse(node)} survives", flush=True)
            if tried % 5 == 0 or tried == len(chosen):
                print(f"{tried} of {len(chosen)} mutants ({len(places)} places), {tried - left} found", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
