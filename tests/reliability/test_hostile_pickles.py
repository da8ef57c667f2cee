import os
import subprocess
import sys
from pathlib import Path

from benchmarks.fuzz.pickles import containers, gadgets
from tests.house_rules import ROOT
from tests.reliability.small_doses import rows_of

RUNS_THEM = """
import os, pickle, sys, warnings
from pathlib import Path
from benchmarks.fuzz.pickles import CANARY, STOP, gadgets
warnings.simplefilter("ignore")
worked = []
for name in gadgets(""):
    folder = Path(sys.argv[1], name)
    folder.mkdir()
    code = gadgets(str(folder / CANARY))[name] + STOP
    process = os.fork()
    if not process:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        try:
            pickle.loads(code)
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    worked += [name] * any(folder.glob(CANARY + "*"))
print(len(worked), *sorted(set(gadgets("")) - set(worked)), sep=" | ")
"""

BAD_READER = """
import pickle, sys
from pathlib import Path
from benchmarks.fuzz.pickles import STOP, gadgets
from benchmarks.reliability import hostile_pickles
canary = Path(sys.argv[1], "canary")
path = Path(sys.argv[1], "x.pt")
path.write_bytes(gadgets(str(canary))[sys.argv[2]] + STOP)
hostile_pickles.READERS = (lambda path: pickle.loads(path.read_bytes()),)
print(hostile_pickles.opened_everywhere(path, canary))
"""


def printed(program: str, *arguments: str) -> str:
    """Return what a program prints that is run in a process of its own: an audit hook stays for ever."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603


def test_no_payload_runs_in_any_reader_and_a_flood_meets_the_limits() -> None:
    found = rows_of("hostile_pickles", 4, seed=11)
    assert found["payloads, each opened by every reader"] == 4
    assert found["floods of time or memory"] == 2


def test_the_payloads_would_run_if_they_were_unpickled(tmp_path: Path) -> None:
    assert len(gadgets("")) * len(containers()) > 800
    # One of them is for Windows.
    worked, *others = printed(RUNS_THEM, str(tmp_path)).split(" | ")
    assert int(worked) >= len(gadgets("")) - 3, others


def test_a_reader_that_unpickles_is_noticed(tmp_path: Path) -> None:
    assert printed(BAD_READER, str(tmp_path), "os.system").startswith(
        "NOT HELD BACK: x.pt: 1 canaries, events ['pickle"
    )
