"""`./run bench` gathers the rows of its benchmarks and notices a broken promise."""

from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.report import row


@pytest.fixture
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder where the runner looks for benchmarks."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "report.py").write_text((runner.FOLDER / "report.py").read_text("utf-8"), "utf-8")
    monkeypatch.setattr(runner, "FOLDER", folder)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])
    return runner.main()


def write(folder: Path, name: str, body: str) -> None:
    (folder / f"bench_{name}.py").write_text(f"from benchmarks.report import row\n{body}\n", "utf-8")


def test_kept_promises_end_with_status_0(
    benches: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(benches, "start", "print('warming up')\nrow('window painted', 0.7, 1.0, 's')\nrow('cold', 3.1, None, 's')")
    assert run(monkeypatch) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "name  | promise        | measured | limit | verdict",
        "start | window painted | 0.7 s    | ≤ 1 s | kept",
        "start | cold           | 3.1 s    |       | –",
    ]
    assert "warming up" in err


@pytest.mark.parametrize(
    "body",
    [
        "row('p95', 6.1, 6.0, 'ms')",
        "row('speed', 9, 10, 'images/s', better='more')",
        "row('p95', 1, 6, 'ms')\n1 / 0",
        "",
    ],
)
def test_a_broken_promise_ends_with_status_1(body: str, benches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(benches, "feel", body)
    assert run(monkeypatch, "feel") == 1


def test_only_the_named_benchmarks_run(
    benches: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(benches, "feel", "row('p95', 7.0, 6.0, 'ms')")
    write(benches, "start", "row('window', 0.5, 1.0, 's')")
    assert run(monkeypatch, "start") == 0
    assert "p95" not in capsys.readouterr().out


def test_an_unknown_benchmark_lists_the_known_ones(
    benches: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(benches, "feel", "")
    assert run(monkeypatch, "fee") == 2
    assert "known: feel" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("measured", "limit", "better", "kept"),
    [(1, 2, "less", True), (3, 2, "less", False), (3, 2, "more", True), (1, 2, "more", False), (9, None, "less", True)],
)
def test_a_row_says_whether_its_promise_is_kept(
    measured: float, limit: float | None, better: str, *, kept: bool
) -> None:
    assert row("promise", measured, limit, "ms", better) is kept  # type: ignore[arg-type]
