"""The program: a window, or `train`, `evaluate`, `convert` and `tour` without one.  Loads what the command needs."""

import gc
import os
import sys


def main(arguments: list[str]) -> int:
    """Run the command that the arguments name, or the window with the files they name; return the exit status."""
    match arguments[:1]:
        case ["train" | "evaluate" | "convert"]:
            from core.cli import main as run_command

            return run_command(arguments)
        case ["tour"]:
            _prepare()
            from explorer.tour import main as run_tour

            return run_tour(arguments[1:])
        case _:
            # Until the window stands nothing is garbage, and looking for some took a tenth of the time.  From then
            # on the program itself collects, in one thread.
            gc.disable()
            _prepare()
            from explorer.app import main as run_window

            return run_window(arguments)


def _prepare() -> None:
    """Do what has to come before the window's modules are imported."""
    # numpy decodes for the window, a few microseconds at a time, while torch trains beside it.  A pool of threads of
    # numpy's own would wake for these, even idle takes a third off a training of two threads, and makes no single
    # code quicker.  OpenBLAS reads this once, when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from explorer.plain_imports import use_plain_imports

    use_plain_imports()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
