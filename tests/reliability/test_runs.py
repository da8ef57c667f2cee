"""A small dose of what breaks runs: kills, failing disks, interruptions, a learning rate of ten."""

from benchmarks.reliability import app_kills
from tests.reliability.small_doses import rows_of


def test_a_kill_amid_a_save_leaves_the_previous_or_the_new_checkpoint() -> None:
    found = rows_of("save_kills", 15, seed=1)
    assert found["of these, came within a save"] > 0
    (calls,) = (value for name, value in found.items() if "before or after each call" in name)
    assert calls > 20


def test_a_disk_that_fails_or_is_full_leaves_the_old_file_and_a_true_message() -> None:
    found = rows_of("failing_disk", 4)
    assert sum("failing calls" in name for name in found) == 2
    assert sum("the disk is full" in name for name in found) == 2


def test_interrupted_runs_end_with_the_weights_of_unbroken_ones() -> None:
    assert list(rows_of("resume", 2, seed=3).values()) == [2.0, 2.0, 2.0]


def test_runs_at_a_learning_rate_of_ten_end_usable() -> None:
    found = rows_of("learning_rate", 6, seed=100)
    assert found["of 6 runs at a learning rate of 10, usable in the end"] == 6.0


def test_the_killed_program_is_recovered_and_resumed_in_the_window() -> None:
    kill = app_kills.killed_after(8.0, resume=True)
    assert kill.recovered
    assert kill.resumed
    assert kill.lost_s < app_kills.LIMIT_S
