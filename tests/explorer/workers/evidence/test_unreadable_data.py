"""What becomes of tables where the data cannot be read."""

import pytest

from explorer.workers.evidence import EvidenceThread, _Build, _Look
from tests.open_program import trained
from tests.small_data import bar_data

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def idle() -> EvidenceThread:
    """Return a thread that is not running."""
    return EvidenceThread()


@pytest.fixture
def build() -> _Build:
    return _Build(trained().config.model, trained().as_weights(1))


def test_data_that_were_opened_while_others_could_not_be_read_are_kept(idle: EvidenceThread, build: _Build) -> None:
    first, second = bar_data(8, 4), bar_data(8, 4)
    idle.set_data(first)
    idle._read = first
    idle.set_data(second)
    idle._do_without_data(build)
    assert idle._dataset is second
    assert idle._wanted is build
    idle._read = second
    idle._do_without_data(build)
    assert idle._dataset is None


def test_a_table_that_was_let_go_of_to_cover_data_that_cannot_be_read_is_built_again(
    idle: EvidenceThread, build: _Build
) -> None:
    data = bar_data(8, 4)
    idle.set_data(data)
    idle._read, idle._current = data, build
    idle._do_without_data(_Look(data))
    assert idle._wanted is build
    assert idle._dataset is None
