from benchmarks.fuzz.model_mutations import mutated
from benchmarks.reliability.model_files import bases, soundness
from core.storage.model_file import from_bytes
from tests.reliability.small_doses import rows_of


def test_damaged_model_files_are_refused_or_sound() -> None:
    found = rows_of("model_files", 1500, seed=7)
    assert found["files"] == 1500
    assert 0.1 < found["files accepted, each of them sound"] < 0.5


def test_a_damaged_file_is_the_same_every_time_and_a_sound_one_is_sound() -> None:
    sound = bases()
    assert [mutated(sound, 3, index) for index in range(50)] == [mutated(sound, 3, index) for index in range(50)]
    assert {soundness(from_bytes(data), again=True) for data in sound} == {"sound"}
