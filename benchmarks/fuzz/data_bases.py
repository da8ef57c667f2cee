"""Small sound files of every kind that the program reads pictures from."""

import gzip
import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]

PICTURE_MODES: Mapping[str, tuple[str, ...]] = {
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    ".jpg": ("L", "RGB", "CMYK"),
    ".bmp": ("1", "L", "P", "RGB"),
    ".gif": ("L", "P"),
    ".webp": ("RGB", "RGBA"),
    ".tif": ("1", "L", "RGB", "RGBA", "I;16", "F", "CMYK"),
    ".pgm": ("L",),
    ".ppm": ("RGB",),
    ".pbm": ("1",),
}


def idx(array: Array, code: int = 0x08) -> bytes:
    """Return an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


def npy(array: Array) -> bytes:
    """Return a .npy file as numpy writes it; arrays of objects too."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(members: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """Return a zip archive of these members, by their full names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def pictures(count: int = 6, height: int = 8, width: int = 8) -> Array:
    """Return pictures (N, H, W) of every grey."""
    greys = np.random.default_rng(1).integers(0, 256, (count, height, width), np.uint8)
    greys[0, 0, 0] = 255
    return greys


def array_files() -> dict[str, list[bytes]]:
    """Return sound files by suffix: .idx, .gz, .npy and .npz."""
    grey, labels = pictures(), np.arange(6, dtype=np.uint8) % 3
    shares = grey / 255.0
    arrays = [
        grey,
        grey.astype(">u2"),
        grey > 128,
        shares,
        shares.astype(">f4"),
        shares.astype(np.float16),
        np.asfortranarray(shares),
        grey.reshape(6, 64),
        np.stack([grey] * 3, axis=3),
        np.stack([grey] * 3, axis=1),
        np.moveaxis(pictures(20), 0, 2),
        pictures(4, 9, 5),
    ]
    named = {"images.npy": npy(grey), "labels.npy": npy(labels)}
    texts = {"x.npy": npy(shares), "y.npy": npy(np.array(["a", "b", "c"] * 2)), "more.npy": npy(labels)}
    halves = {
        "x_train.npy": npy(grey),
        "y_train.npy": npy(labels),
        "x_test.npy": npy(grey[:3]),
        "y_test.npy": npy(labels[:3]),
    }
    one_hot = {"data.npy": npy(grey), "target.npy": npy(np.eye(3)[labels])}
    return {
        ".idx": [idx(grey), idx(pictures(3, 9, 5)), idx(labels)],
        ".gz": [gzip.compress(idx(grey), mtime=0), gzip.compress(idx(pictures(40)), mtime=0)],
        ".npy": [npy(array) for array in arrays],
        ".npz": [npz(each, packed=packed) for each in (named, texts, halves, one_hot) for packed in (True, False)],
    }


def picture_files() -> dict[str, list[bytes]]:
    """Return sound pictures by suffix, of every mode that the format knows."""
    found: dict[str, list[bytes]] = {}
    for suffix, modes in PICTURE_MODES.items():
        found[suffix] = [_picture(suffix, mode) for mode in modes]
    found[".gif"].append(_animated())
    found[".tif"] += [_picture(".tif", "L", compression=kind) for kind in ("tiff_lzw", "tiff_deflate", "packbits")]
    exif = Image.Exif()
    exif[0x0112] = 6
    found[".jpg"].append(_picture(".jpg", "L", exif=exif, progressive=True))
    found[".png"].append(_picture(".png", "L", exif=exif))
    return found


def _picture(suffix: str, mode: str, **options: object) -> bytes:
    grey = pictures(1, 9, 7)[0]
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    file = io.BytesIO()
    image.save(file, {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, Image.registered_extensions()[suffix]), **options)
    return file.getvalue()


def _animated() -> bytes:
    frames = [Image.fromarray(grey) for grey in pictures(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()
