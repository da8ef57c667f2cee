"""`./run` against a pretended machine: what it installs, what it says, and that the second time it starts at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house_rules import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="./run installs Debian packages")

TOOLS = ("bash", "cat", "cksum", "cp", "dirname", "env", "find", "flock", "mkdir", "readlink", "sed", "tr", "uname")
PACKAGE_NAMES = (
    "python3 python3-venv ca-certificates libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 "
    "fonts-dejavu-core libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 "
    "libwayland-cursor0 libwayland-egl1"
)
PACKAGES = PACKAGE_NAMES.split()
PYTHON = """#!/bin/bash
printf '%s (in %s)\\n' "$*" "$PWD" >>"$LOG"
case "$1 $2" in
"-m venv") mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo version = 3.11.2 >"$4/pyvenv.cfg" ;;
"-m pip") [ ! -e "$STATE/no-network" ] ;;
"-c "*) [ ! -e "$STATE/old-python" ] ;;
esac
"""
STUBS = {
    "python3": PYTHON,
    "dpkg-query": '#!/bin/bash\ncat "$STATE/installed"\n',
    "apt-get": '#!/bin/bash\nprintf "apt-get %s\\n" "$*" >>"$LOG"\n[ ! -e "$STATE/no-network" ]\n',
    "id": '#!/bin/bash\ncat "$STATE/user"\n',
}


class Machine:
    """A folder with a checkout, and a PATH on which everything that installs is pretended."""

    def __init__(self, folder: Path) -> None:
        self.state, self.tools, self.checkout = folder / "state", folder / "bin", folder / "a checkout"
        self.log = self.state / "log"
        for each in (self.state, self.tools, self.checkout):
            each.mkdir()
        for name in ("run", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.checkout)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.tools / tool).symlink_to(found)
        for name, text in STUBS.items():
            self.add_tool(name, text)
        self.install(*PACKAGES)
        (self.state / "user").write_text("0\n")

    def add_tool(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def install(self, *packages: str) -> None:
        """Say which Debian packages are there."""
        (self.state / "installed").write_text("".join(f"ii  {package} \n" for package in packages))

    def run(self, *arguments: str, folder: Path | None = None) -> tuple[int, str, list[str]]:
        """Return the exit status of ./run, what it said, and which programs it called meanwhile."""
        self.log.write_text("")
        done = subprocess.run(  # noqa: S603 - our own script
            [self.checkout / "run", *arguments],
            cwd=folder or self.checkout,
            env={"PATH": str(self.tools), "LOG": str(self.log), "STATE": str(self.state), "HOME": str(self.state)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr, [line for line in self.log.read_text().splitlines() if line[:2] != "-c"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_tests_are_installed_for_and_run(machine: Machine) -> None:
    status, _, calls = machine.run("test", "-k", "house")
    assert status == 0
    assert [call.split()[1] for call in calls] == ["venv", "pip", "pip", "pytest"]
    assert "torch==" in calls[1]
    assert "-e .[dev]" in calls[2]
    assert "pytest -k house" in calls[3]
    assert all("-c constraints.txt" in call for call in calls[1:3])


def test_the_second_time_starts_at_once(machine: Machine) -> None:
    machine.run("test")
    status, said, calls = machine.run("test")
    assert (status, said) == (0, "")
    assert [call.split()[1] for call in calls] == ["pytest"]


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml", ".venv/pyvenv.cfg"])
def test_a_changed_pin_or_python_is_installed_anew(machine: Machine, name: str) -> None:
    machine.run("test")
    with (machine.checkout / name).open("a") as file:
        file.write("# changed\n")
    _, _, calls = machine.run("test")
    assert [call.split()[1] for call in calls] == ["pip", "pip", "pytest"]


def test_an_interrupted_installation_is_taken_up_again(machine: Machine) -> None:
    (machine.state / "no-network").touch()
    status, said, calls = machine.run("test")
    assert status == 1
    assert "no network?" in said
    assert [call.split()[1] for call in calls] == ["venv", "pip"]
    (machine.state / "no-network").unlink()
    status, _, calls = machine.run("test")
    assert status == 0
    assert [call.split()[1] for call in calls] == ["pip", "pip", "pytest"]


def test_other_arguments_go_to_the_program_where_the_user_stands(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    status, _, calls = machine.run("evaluate", "my model.safetensors", folder=elsewhere)
    assert status == 0
    assert "[dev]" not in calls[2]
    assert calls[-1] == f"{machine.checkout}/main.py evaluate my model.safetensors (in {elsewhere})"


def test_missing_packages_are_named_and_installed(machine: Machine) -> None:
    machine.install(*(package for package in PACKAGES if package not in {"libegl1", "libxcb-cursor0"}))
    status, said, calls = machine.run("test")
    assert status == 0
    assert "installing Debian packages: libegl1 \n" in said
    assert calls[1].endswith("--no-install-recommends libegl1")
    _, said, _ = machine.run()
    assert "installing Debian packages: libegl1 libxcb-cursor0 \n" in said


def test_a_package_that_a_renamed_one_provides_is_not_missing(machine: Machine) -> None:
    others = [package for package in PACKAGES if package != "libglib2.0-0"]
    machine.install(*others, "libglib2.0-0t64 libglib2.0-0 (= 2.84)")
    _, said, calls = machine.run("test")
    assert "Debian" not in said
    assert not any("apt-get" in call for call in calls)


def test_a_removed_package_is_missing(machine: Machine) -> None:
    machine.install(*(package for package in PACKAGES if package != "libegl1"))
    with (machine.state / "installed").open("a") as file:
        file.write("rc  libegl1 \n")
    assert "installing Debian packages: libegl1 \n" in machine.run("test")[1]


def test_without_root_and_sudo_it_says_what_to_do(machine: Machine) -> None:
    (machine.state / "user").write_text("1000\n")
    machine.install(*(package for package in PACKAGES if package != "libegl1"))
    status, said, calls = machine.run("test")
    assert status == 1
    assert "apt-get install libegl1" in said
    assert "no sudo" in said
    assert not calls


def test_without_root_sudo_is_used(machine: Machine) -> None:
    (machine.state / "user").write_text("1000\n")
    machine.add_tool("sudo", '#!/bin/bash\nprintf "sudo\\n" >>"$LOG"\nexec "$@"\n')
    machine.install(*(package for package in PACKAGES if package != "libegl1"))
    status, _, calls = machine.run("test")
    assert status == 0
    assert calls[0] == calls[2] == "sudo"


def test_without_root_nothing_is_asked_when_nothing_is_missing(machine: Machine) -> None:
    (machine.state / "user").write_text("1000\n")
    assert machine.run("test")[0] == 0


def test_packages_that_cannot_be_fetched_are_named(machine: Machine) -> None:
    (machine.state / "no-network").touch()
    machine.install(*(package for package in PACKAGES if package != "libegl1"))
    status, said, _ = machine.run("test")
    assert status == 1
    assert "apt-get could not install libegl1" in said


def test_elsewhere_than_on_debian_it_gives_a_hint(machine: Machine) -> None:
    (machine.tools / "apt-get").unlink()
    status, said, _ = machine.run()
    assert status == 0
    assert "not Debian" in said
    assert "libxcb-cursor0" in said


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    (machine.state / "old-python").touch()
    status, said, _ = machine.run("test")
    assert status == 1
    assert "Python 3.11 or newer" in said


def test_ci_runs_check_and_then_test(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "run").write_text('#!/bin/bash\necho "$1"\n[ "$1" != "$BROKEN" ]\n')
    (tmp_path / "run").chmod(0o755)
    for broken, output, status in (("", "check\ntest\n", 0), ("check", "check\n", 1), ("test", "check\ntest\n", 1)):
        done = subprocess.run(  # noqa: S603 - our own script
            [tmp_path / ".ci" / "run"],
            env=os.environ | {"BROKEN": broken},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.returncode) == (output, status)
