"""Codes that are known are not encoded again; what is kept has a bound, and other weights take its place."""

from dataclasses import replace

import numpy as np

from core.config import ModelConfig
from core.data.dataset import Dataset
from core.inference.codes import latent_statistics
from core.snapshots import Codes, frozen
from explorer.messages import CodesRequest, CodesResult
from explorer.session.known_codes import KnownCodes
from tests.small_data import bar_data

DATA = bar_data(40, 20)
BYTES_EACH = 8 + 8
"""Two float32 of a mean, and an index."""


def result(number: int, split: str = "train", version: int = 1, dataset: Dataset = DATA) -> CodesResult:
    mean = frozen(np.zeros((number, 2), np.float32))
    total = len(dataset.half(split))
    codes = Codes(mean, None, None, frozen(np.arange(number), np.int64), None, split, total, version)
    return CodesResult(codes, latent_statistics(codes, ModelConfig()), 5.0, CodesRequest(split, dataset, number))


def request(number: int, split: str = "train", dataset: Dataset = DATA) -> CodesRequest:
    return CodesRequest(split, dataset, number)


def test_what_was_found_is_found_again_for_whoever_asks_now() -> None:
    known, kept = KnownCodes(), result(10)
    known.keep(kept)
    asked = request(10)
    found = known.find(asked, 1)
    assert found is not None
    assert found.codes is kept.codes
    assert found.request is asked
    assert found.elapsed_ms == 0.0


def test_all_of_a_half_answers_whoever_asks_for_some() -> None:
    known = KnownCodes()
    known.keep(result(10))
    known.keep(result(40))
    found = known.find(request(10), 1)
    assert found is not None
    assert len(found.codes) == 40


def test_fewer_than_are_wanted_are_no_answer() -> None:
    known = KnownCodes()
    known.keep(result(10))
    assert known.find(request(11), 1) is None
    assert known.find(request(10, "held_out"), 1) is None


def test_other_data_and_the_same_seen_in_another_way_are_no_answer() -> None:
    known = KnownCodes()
    known.keep(result(10))
    greys = replace(DATA, config=replace(DATA.config, binarisation="none"))
    assert known.find(request(10, dataset=replace(DATA, fingerprint="another")), 1) is None
    assert known.find(request(10, dataset=greys), 1) is None
    assert known.find(request(10, dataset=replace(DATA)), 1) is not None


def test_data_that_are_still_being_read_are_not_known() -> None:
    known, reading = KnownCodes(), replace(DATA, fingerprint="")
    known.keep(result(10, dataset=reading))
    assert known.find(request(10, dataset=reading), 1) is None


def test_other_weights_take_the_place_of_all() -> None:
    known = KnownCodes()
    known.keep(result(10))
    known.keep(result(10, "held_out", version=2))
    assert known.find(request(10, "held_out"), 2) is not None
    assert known.find(request(10), 1) is None
    assert known.num_bytes == 0


def test_what_is_kept_has_a_bound_and_what_was_asked_for_longest_ago_goes_first() -> None:
    known = KnownCodes(max_bytes=50 * BYTES_EACH)
    known.keep(result(20))
    known.keep(result(20, "held_out"))
    assert known.find(request(20), 1) is not None
    known.keep(result(30, dataset=replace(DATA, fingerprint="another")))
    assert known.num_bytes == 50 * BYTES_EACH
    assert known.find(request(20), 1) is not None
    assert known.find(request(20, "held_out"), 1) is None


def test_what_is_larger_than_the_bound_alone_is_kept_until_others_come() -> None:
    known = KnownCodes(max_bytes=30 * BYTES_EACH)
    known.keep(result(20, "held_out"))
    known.keep(result(40))
    assert known.find(request(40), 1) is not None
    assert known.find(request(20, "held_out"), 1) is None
    known.keep(result(20, "held_out"))
    assert known.find(request(40), 1) is None
    assert known.num_bytes == 20 * BYTES_EACH


def test_what_the_canvas_shows_is_kept_however_much_it_is() -> None:
    known = KnownCodes(max_bytes=30 * BYTES_EACH)
    whole = result(40)
    known.keep(whole)
    known.show(whole)
    for fingerprint in ("one", "two"):
        known.keep(result(20, dataset=replace(DATA, fingerprint=fingerprint)))
        assert known.find(request(40), 1) is not None
    known.show(None)
    known.keep(result(20, "held_out"))
    assert known.find(request(40), 1) is None


def test_some_codes_that_come_late_do_not_take_the_place_of_all() -> None:
    known = KnownCodes(max_bytes=30 * BYTES_EACH)
    known.keep(result(40))
    known.keep(result(10))
    assert known.num_bytes == 40 * BYTES_EACH
    found = known.find(request(10), 1)
    assert found is not None
    assert len(found.codes) == 40
