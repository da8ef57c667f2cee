import io
import logging
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.config import DataConfig
from core.data.dataset import DataError, Dataset
from core.data.folder import list_pictures, read_picture_file
from core.data.importing import import_picture, preview_import
from core.data.sources import load_dataset
from tests.core.data.writers import some_pictures

RAMP = np.tile(np.linspace(0, 255, 12).round().astype(np.uint8), (12, 1))


def config(path: Path, **rest: object) -> DataConfig:
    return DataConfig(source=str(path), **{"image_size": 12, **rest})  # type: ignore[arg-type]


def load(path: Path, **rest: object) -> Dataset:
    return load_dataset(config(path, **rest))


def write(path: Path, picture: np.ndarray[Any, Any] = RAMP, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)  # type: ignore[arg-type]
    return path


def test_subfolders_are_labels_and_numbers_sort_as_numbers(tmp_path: Path) -> None:
    for label in ("10", "2", "cat"):
        for number in range(10):
            write(tmp_path / "deeper" / label / f"{number}.png", np.full((12, 12), len(label) * 50, np.uint8))
    dataset = load(tmp_path)
    assert dataset.label_names == ("2", "10", "cat")
    for split, each in ((dataset.train, 9), (dataset.held_out, 1)):
        assert split.labels is not None
        assert np.bincount(split.labels).tolist() == [each] * 3
        assert np.array_equal(split.images[:][:, 0, 0], np.array([50, 100, 150], np.uint8)[split.labels])
    assert load(tmp_path, subfolder_labels=False).train.labels is None


def test_a_folder_without_subfolders_has_no_labels(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path / f"{number}.PNG")
    dataset = load(tmp_path)
    assert dataset.train.labels is None
    assert (len(dataset.train), len(dataset.held_out)) == (3, 1)


def test_a_broken_picture_is_left_out_and_named(tmp_path: Path) -> None:
    for number in range(9):
        write(tmp_path / f"{number}.png")
    whole = write(tmp_path / "cut.png", some_pictures(1, 12, 12)[0]).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    dataset = load(tmp_path)
    assert len(dataset.train) + len(dataset.held_out) == 9
    assert "2 pictures were left out" in dataset.note
    assert "cut.png: " in dataset.note
    assert "text.jpg: " in dataset.note
    preview = preview_import(tmp_path, config(tmp_path))
    assert (preview.num_images, preview.num_broken, len(preview.pictures)) == (11, 2, 9)


def test_a_folder_with_nothing_readable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(DataError, match="no pictures are in this folder"):
        load(tmp_path)
    (tmp_path / "x.png").write_text("no picture")
    for action in (load, lambda path: preview_import(path, config(path))):
        with pytest.raises(DataError, match=r"x\.png"):
            action(tmp_path)
    write(tmp_path / "one.png")
    with pytest.raises(DataError, match="at least 2"):
        load(tmp_path)


def test_two_pictures_are_enough(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    write(tmp_path / "b.png")
    assert (len(load(tmp_path).train), len(load(tmp_path).held_out)) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_loops_pipes_devices_and_folders_named_as_pictures_are_passed_over(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / "in" / f"{number}.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "missing")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "linked.png").symlink_to(tmp_path / "in" / "0.png")
    (tmp_path / "._linked.png").write_bytes(b"what another system leaves")
    listing = list_pictures(tmp_path)
    assert listing.files == ("in/0.png", "in/1.png", "in/2.png", "linked.png")
    assert listing.num_passed_over == 5
    assert "Passed over: 5" in load(tmp_path).note


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_dropped_pipe_or_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(DataError, match=f"^{name}: it is a pipe or a device"):
            import_picture(tmp_path / name, config(tmp_path))


def grey(path: Path, **rest: object) -> np.ndarray[Any, Any]:
    return import_picture(path, config(path, **rest))


def test_every_kind_of_picture_gives_the_right_greys(tmp_path: Path) -> None:
    rgb = np.repeat(RAMP[..., None], 3, axis=2)
    palette = Image.fromarray(RAMP).convert("P")
    palette.save(tmp_path / "palette.png")
    Image.fromarray(RAMP).save(tmp_path / "palette.gif")
    Image.fromarray(RAMP / np.float32(255)).save(tmp_path / "float.tif")
    write(tmp_path / "grey.png")
    write(tmp_path / "sixteen.png", RAMP.astype(np.uint16) * np.uint16(257))
    write(tmp_path / "colour.png", rgb)
    write(tmp_path / "opaque.png", np.dstack([rgb, np.full((12, 12), 255, np.uint8)]))
    write(tmp_path / "grey.bmp")
    write(tmp_path / "grey.pgm")
    write(tmp_path / "lossless.webp", rgb, lossless=True)
    for path in sorted(tmp_path.iterdir()):
        assert np.array_equal(grey(path), RAMP), path.name
    write(tmp_path / "photo.jpg", quality=100)
    assert np.abs(grey(tmp_path / "photo.jpg").astype(int) - RAMP).max() <= 2
    write(tmp_path / "bits.png", RAMP > 127)
    assert np.array_equal(grey(tmp_path / "bits.png"), (RAMP > 127) * np.uint8(255))


def test_colours_become_their_luma(tmp_path: Path) -> None:
    colours = some_pictures(3, 12, 12).transpose(1, 2, 0).copy()
    expected = np.asarray(Image.fromarray(colours).convert("L"))
    assert np.array_equal(grey(write(tmp_path / "c.png", colours)), expected)
    assert np.array_equal(import_picture(colours, config(tmp_path)), expected)


@pytest.mark.parametrize("invert", [False, True])
def test_what_is_transparent_ends_up_black(tmp_path: Path, *, invert: bool) -> None:
    stroke = 0 if invert else 255
    picture = np.zeros((12, 12, 4), np.uint8)
    picture[3:6] = [stroke, stroke, stroke, 255]
    expected = np.zeros((12, 12), np.uint8)
    expected[3:6] = 255
    assert np.array_equal(grey(write(tmp_path / "a.png", picture), invert=invert), expected)
    assert np.array_equal(import_picture(picture, config(tmp_path, invert=invert)), expected)
    image = Image.fromarray(np.where(picture[..., 3] > 0, stroke, 9).astype(np.uint8))
    image.save(tmp_path / "b.png", transparency=9)
    assert np.array_equal(grey(tmp_path / "b.png", invert=invert), expected)


def test_a_camera_held_upright_gives_an_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.ascontiguousarray(np.rot90(RAMP))
    write(tmp_path / "a.png", turned, exif=exif)
    assert np.array_equal(grey(tmp_path / "a.png"), RAMP)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((12, 12), level, np.uint8)) for level in (80, 200)]
    for name in ("a.gif", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert np.unique(grey(tmp_path / name)).tolist() == [80]


def png(width: int, height: int, *extra: bytes) -> bytes:
    """A PNG whose header claims a size, with almost no data behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    parts += [chunk(b"zTXt", body) for body in extra]
    parts += [chunk(b"IDAT", zlib.compress(bytes(50))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(9_000, 9_000), "too many"),
        (png(20_000, 20_000), "20000|400000000"),
        (png(2**31 - 1, 2**31 - 1), ""),
        (png(0, 10), ""),
        (png(12, 12, b"k\x00\x00" + zlib.compress(bytes(70 * 2**20))), ""),
        (png(12, 12)[:40], ""),
        (png(12, 12)[:20] + b"\xff" + png(12, 12)[21:], "damaged"),
        (b"", "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture of a kind"),
    ],
)
def test_a_malicious_or_damaged_picture_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "bad.png").write_bytes(data)
    with pytest.raises(DataError, match=rf"^bad\.png: .*({reason})"):
        grey(tmp_path / "bad.png")


def test_text_beside_the_pixels_is_no_obstacle(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "a digit")
    write(tmp_path / "a.png", RAMP, pnginfo=text)
    assert np.array_equal(grey(tmp_path / "a.png"), RAMP)


def test_progress_is_told_and_can_end_the_loading(tmp_path: Path) -> None:
    class CancelledError(Exception):
        pass

    for number in range(3):
        write(tmp_path / f"{number}.png")
    told: list[float] = []
    load_dataset(config(tmp_path), lambda share, _text: told.append(share))
    assert told == [0.0]

    def cancel(_share: float, _text: str) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        load_dataset(config(tmp_path), cancel)


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode here")
@pytest.mark.parametrize("name", ["😀", "цифры", "new\nline", "\"quotes'", os.fsdecode(b"\xff\xfe"), "x" * 251])
def test_pictures_and_folders_of_any_name_open(tmp_path: Path, name: str) -> None:
    for number in range(2):
        write(tmp_path / name / f"{number}.png")
    write(tmp_path / f"{name}.png")
    dataset = load(tmp_path)
    assert len(dataset.label_names) == 2
    assert all(label.isprintable() and label.encode("utf-8") for label in dataset.label_names)


def test_a_damaged_picture_is_told_in_its_error_and_not_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in the program, which has no handler where pytest has some.
    monkeypatch.setattr(logging.root, "handlers", [])
    path = write(tmp_path / "x.tif", np.stack([RAMP] * 3, axis=2))
    data = path.read_bytes()
    # Tag 277 is the number of samples per pixel, a SHORT.
    entry = data.index(struct.pack("<HHI", 277, 3, 1))
    path.write_bytes(data[: entry + 8] + struct.pack("<HH", 20_000, 0) + data[entry + 12 :])
    with pytest.raises(DataError, match=r"x\.tif"):
        import_picture(path, config(path))
    assert capsys.readouterr().err == ""


def _small_gif() -> bytes:
    file = io.BytesIO()
    Image.new("L", (50, 50)).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.pgm", b"P5\n5000 5000\n255\n" + bytes(5000)),
        (
            "x.bmp",
            b"BM" + bytes(8) + struct.pack("<IIiiHHIIiiII", 54, 40, 5000, 5000, 1, 24, 0, 0, 1, 1, 0, 0) + bytes(99),
        ),
        ("x.gif", _small_gif().replace(struct.pack("<HH", 50, 50), struct.pack("<HH", 5000, 5000))),
    ],
)
def test_a_picture_whose_file_is_too_short_for_its_size_is_refused_before_it_is_decoded(
    tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"^{name}: it is cut short: .* bytes are too few for 5000×5000 pixels$"):
        read_picture_file(tmp_path / name, DataConfig())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".png", "1"), (".png", "L"), (".jpg", "L"), (".jpg", "RGB"), (".gif", "L"), (".tif", "1"), (".webp", "RGB")],
)
def test_the_best_packed_pictures_are_long_enough_for_their_size(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"x{suffix}"
    options: dict[str, dict[str, Any]] = {
        ".jpg": {"quality": 1, "progressive": True, "optimize": True},
        ".tif": {"compression": "group4"},
    }
    Image.new(mode, (4000, 4000)).save(path, **options.get(suffix, {}))
    assert read_picture_file(path, DataConfig()).shape == (4000, 4000)
