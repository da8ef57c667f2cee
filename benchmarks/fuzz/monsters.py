"""Files made to take memory or time: each by arithmetic small where it matters, or refused."""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.fuzz.data_bases import idx, npy, npz, pictures
from benchmarks.fuzz.data_mutations import png_chunk

_BLOCK = bytes(2**24)


@dataclass(frozen=True, slots=True)
class Monster:
    """A file that would take too much of a careless reader."""

    name: str
    data: bytes
    need_bytes: int = 0
    """What reading it must take, by arithmetic: its values and the pictures made of them."""


def monsters(blocks: int) -> list[Monster]:
    """Return them all; bombs unpack to `blocks` times 16 MiB, 64 for the whole size, and honest files in proportion.

    A reader that holds a bomb of 8 blocks already takes twice the room there is.
    """
    hostile = (*_arrays(blocks), *_archives(blocks), *_pictures(blocks))
    return [Monster(name, data) for name, data in hostile] + _honest(blocks)


def _arrays(blocks: int) -> Iterator[tuple[str, bytes]]:
    yield "idx promises 2^96 values.idx", struct.pack(">BBBB3I", 0, 0, 8, 3, *[2**32 - 1] * 3)
    yield "idx of 255 dimensions.idx", bytes((0, 0, 8, 255)) + b"\0\0\0\1" * 255
    yield "idx promises 2 GiB and has 8 bytes.idx", struct.pack(">BBBB3I", 0, 0, 8, 3, 2**17, 128, 128) + bytes(8)
    small = idx(pictures())
    yield "gzip of 6 pictures and zeros.idx.gz", _gzipped(small, blocks)
    head = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**17, 128, 128)
    yield "gzip of a promise of 2 GiB.idx.gz", gzip.compress(head + bytes(10**6))
    nested = gzip.compress(_gzipped(small, blocks // 4))
    yield "gzip in gzip.idx.gz", nested
    for descr, shape in (
        ("|S0", "(1000000000000,)"),
        ("|S0", "(1000000000000, 8, 8)"),
        ("<U0", "(281474976710655,)"),
        ("|u1", "(1180591620717411303424, 8, 8)"),
        ("|u1", "(4294967296, 4294967296)"),
        ("|u1", "(0, 4611686018427387904)"),
        ("<f8", "(17179869184,)"),
        ("|u1", "(-1, 8, 8)"),
        ("|O", "(6, 8, 8)"),
        ("<f8", "(" + "1, " * 5000 + ")"),
    ):
        yield (
            f"npy {descr.strip('<|')} {shape[:24]}.npy",
            npy_text(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"),
        )
    yield "npy with a header of 60 kB.npy", npy_text("{" + " " * 60_000 + "}")
    yield "npy of version 2 with a header of 4 GiB.npy", b"\x93NUMPY\2\0\xff\xff\xff\xff" + b" " * 100
    yield "npy nested.npy", npy_text("[" * 9000)
    yield "npy of powers.npy", npy_text("{'descr': '|u1', 'fortran_order': False, 'shape': (9**9**9,), }")


def npy_text(text: str, body: bytes = b"") -> bytes:
    """Return a .npy file with this header."""
    encoded = text.encode("latin-1")
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(encoded)) + encoded + body


def _archives(blocks: int) -> Iterator[tuple[str, bytes]]:
    small = npy(pictures())
    header = small[: -pictures().nbytes]
    yield "npz with a member of zeros.npz", npz({"images.npy": header + bytes(blocks * len(_BLOCK))})
    promised = npy_text(
        f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({blocks * len(_BLOCK) // 4096}, 64, 64), }}",
        bytes(blocks * len(_BLOCK)),
    )
    yield "npz whose zeros are promised.npz", npz({"images.npy": promised})
    yield "npz of 100,000 members.npz", npz({f"{number}.npy": b"" for number in range(100_000)}, packed=False)
    yield (
        "npz of labels without end.npz",
        npz(
            {
                "images.npy": small,
                "labels.npy": npy_text("{'descr': '|S0', 'fortran_order': False, 'shape': (6, 10000000000), }"),
            }
        ),
    )
    yield "npz of long labels.npz", npz({"images.npy": small, "labels.npy": npy(np.zeros((6, 2**20), "S64"))})
    yield "npz of a pickle.npz", npz({"images.npy": npy(np.array([{"a": 1}] * 6, object))})
    overlapping = npz({"images.npy": small, "labels.npy": small})
    end = overlapping.rindex(b"PK\1\2")
    yield "npz of overlapping members.npz", overlapping[: end + 42] + bytes(4) + overlapping[end + 46 :]
    liar = npz({"images.npy": header + bytes(2**26)})
    at = liar.rindex(b"PK\1\2")
    yield "npz that lies of its size.npz", liar[: at + 24] + struct.pack("<I", len(small)) + liar[at + 28 :]


def _pictures(blocks: int) -> Iterator[tuple[str, bytes]]:
    for width, height in ((20_000, 20_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (0, 10), (10, 0), (9000, 9000)):
        yield f"png of {width}×{height}.png", png(width, height, zlib.compress(bytes(100)))
    zeros = _deflated(blocks)
    yield "png with zeros of text.png", png(8, 8, zlib.compress(bytes(72)), (b"zTXt", b"a\0\0" + zeros))
    yield (
        "png with zeros of text, several times.png",
        png(8, 8, zlib.compress(bytes(72)), *[(b"iTXt", b"a\0\1\0\0\0" + _deflated(max(blocks // 16, 1)))] * 40),
    )
    yield "png with a profile of zeros.png", png(8, 8, zlib.compress(bytes(72)), (b"iCCP", b"a\0\0" + zeros))
    yield "png with zeros of pixels too many.png", png(8, 8, zeros)
    yield "png of 16 bits and 2^31 chunks.png", png(8, 8, b"")[:33] + png_chunk(b"IDAT", b"") * 20_000
    yield "ppm of 10^5 × 10^5.ppm", b"P6\n100000 100000\n255\n" + bytes(100)
    yield "ppm with a number of 10^6 digits.ppm", b"P5\n" + b"9" * 10**6 + b" 8\n255\n" + bytes(64)
    yield "ppm of a comment without end.ppm", b"P5\n#" + b"a" * 10**6
    yield "gif of 65,535².gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(100)
    yield (
        "bmp of 2^31².bmp",
        b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0) + bytes(100),
    )
    yield "tiff of a tag of 4 GiB.tif", b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 256, 4, 2**32 - 1, 8) + bytes(4)
    yield "tiff whose directories go round.tif", b"II*\0\x08\0\0\0\0\0" + struct.pack("<I", 8) + bytes(20)
    yield (
        "webp of 16,383².webp",
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\x3f\0\xfe\x3f\0" + bytes(8),
    )


def _honest(blocks: int) -> list[Monster]:
    """Files that are as large as they say: what they take beyond their values and pictures is what is measured."""
    images = np.zeros((2500 * blocks, 28, 28), np.uint8)
    size, rows = images.nbytes, 10_000 * blocks // 64
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (300 * blocks, 28, 28), np.uint8)
    shares = (noise / 255.0).astype(np.float64)
    return [
        # The values as they lie in the file, and the pictures that are kept: split into halves.
        Monster("honest idx.idx", idx(images), 2 * size),
        Monster("honest idx.idx.gz", gzip.compress(idx(images), 1), 2 * size),
        # Arrays are scaled to the size of the import: a tenth of these.
        Monster("honest npy.npy", npy(images), size + size // 10),
        Monster("honest npz.npz", npz({"images.npy": npy(noise)}, packed=False), noise.nbytes + noise.nbytes // 10),
        Monster("honest npz of float64.npz", npz({"images.npy": npy(shares)}), shares.nbytes + noise.nbytes // 10),
        # Pictures of the most pixels allowed: decoded, and as grey levels.
        Monster("honest grey png.png", png(8000, rows, zlib.compress(bytes(8001 * rows), 1)), 2 * 8000 * rows),
        Monster(
            "honest rgba png.png", png(8000, rows, zlib.compress(bytes(32_001 * rows), 1), kind=6), 5 * 8000 * rows
        ),
    ]


def png(width: int, height: int, pixels: bytes, *extra: tuple[bytes, bytes], kind: int = 0) -> bytes:
    """Return a PNG of 8-bit grey (kind 0) or RGBA (6) with these packed pixels, and other chunks before them."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    others = b"".join(png_chunk(name, content) for name, content in extra)
    return b"\x89PNG\r\n\x1a\n" + head + others + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def _gzipped(start: bytes, blocks: int) -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
        packed.write(start)
        for _ in range(blocks):
            packed.write(_BLOCK)
    return file.getvalue()


def _deflated(blocks: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(_BLOCK) for _ in range(blocks)) + packer.flush()
