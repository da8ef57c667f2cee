"""torch's import: its library is there before the import statement, the collector as it was before."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def said_by(program: str) -> list[str]:
    """Run a program in a process that has not imported torch; return the words it printed."""
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_the_library_is_mapped_before_it_is_imported() -> None:
    said = said_by("""
        import sys
        from pathlib import Path
        from explorer.workers import torch_import

        def mapped():
            return "libtorch_cpu" in Path("/proc/self/maps").read_text()

        print(mapped())
        torch_import._map_library()
        print(mapped(), "torch" in sys.modules)
    """)
    assert said == ["False", "True", "False"]


@pytest.mark.parametrize("switch", ["enable", "disable"])
def test_torch_works_and_the_collector_is_as_it_was(switch: str) -> None:
    said = said_by(f"""
        import gc
        from explorer.workers.torch_import import import_torch

        gc.{switch}()
        version = import_torch()
        print(gc.isenabled(), gc.get_freeze_count() > 100_000)
        frozen = gc.get_freeze_count()
        print(import_torch() == version, gc.get_freeze_count() == frozen)
        import torch
        print(torch.__version__ == version, round(float(torch.ones(3).exp().log().sum()), 4))
    """)
    assert said == [str(switch == "enable"), "True", "True", "True", "True", "3.0"]
