"""Data files, damaged: headers that promise too much, archives whose directory lies, pictures with bad chunks."""

import gzip
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes, list[bytes]], bytes]

_SIZES = (
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    9,
    28,
    64,
    255,
    2**16,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63,
    2**64,
    2**70,
    -1,
)
_DESCRS = (
    "|u1", "<u2", ">i4", "<f2", "<f4", ">f8", "|b1", "|S0", "|S1", "|S8", "<U1", "<U0", "|O", "O", "|V8", "<c8",
    "<M8[s]", "<m8[us]", "f1", "<f16", "|u9", "", "u1" * 200, "(2,)u1", "i8,i8", "\\x00", "é",
)  # fmt: skip
_SHAPES = (
    "()", "(0,)", "(6,)", "(6, 8)", "(6, 64)", "(6, 8, 8)", "(8, 8, 6)", "(6, 0, 8)", "(1000000000000,)", "(-1, 8, 8)",
    "(1180591620717411303424, 8)", "(4294967296, 4294967296)", "(2, 2, 2, 2, 2, 2, 2, 2, 2)", "[6, 8, 8]", "6", "None",
    "(6.0, 8, 8)", "(True, 8, 8)", "('6', 8)", "(6, 8, 8" * 3, "(" * 200, "9" * 5000, "(6, 8192, 1)", "(1, 1, 1, 1)",
    "__import__('os').system('true')", "(6, 3, 8, 8)", "(6, 8, 8, 4)",
)  # fmt: skip
_NAMES = ("images.npy", "x.npy", "labels.npy", "../../x.npy", "a\0b.npy", "x_test.npy", "é.npy", "IMAGES.NPY", "a.txt")
_CHUNKS = (
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"eXIf",
    b"iCCP",
    b"tRNS",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"acTL",
    b"fcTL",
    b"sBIT",
    b"zzzz",
)


def mutated(suffix: str, bases: dict[str, list[bytes]], rng: random.Random) -> bytes:
    """Return a damaged file of this kind; about one in ten is as it was."""
    own = bases[suffix]
    data = rng.choice(own)
    kind = rng.random()
    if kind < 0.1:
        return data
    if kind < 0.55 and suffix in _BY_FORMAT:
        data = _BY_FORMAT[suffix](rng, data, own)
        if rng.random() < 0.8:
            return data
    others = own if rng.random() < 0.8 else rng.choice(list(bases.values()))
    return rng.choice(_ANY)(rng, data, others) if data else b""


def _flipped(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    result = bytearray(data)
    # Headers lie at the start, directories at the end.
    reach = min(len(result), rng.choice((16, 64, 256, len(result))))
    for _flip in range(rng.choice((1, 1, 2, 8, 40))):
        at = rng.randrange(reach)
        result[at if rng.random() < 0.7 else -1 - at] ^= 1 << rng.randrange(8)
    return bytes(result)


def _cut(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: rng.randrange(len(data))]


def _longer(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    return data + rng.choice((b"\0", rng.randbytes(30), rng.choice(others)))


def _overwritten(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    at, length = rng.randrange(min(len(data), 200)), rng.choice((1, 2, 4, 8))
    fill = rng.choice((bytes(length), b"\xff" * length, b"\x7f" + b"\xff" * (length - 1), rng.randbytes(length)))
    return data[:at] + fill + data[at + length :]


def _spliced(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _without(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 2, 4, 16)) :]


_ANY: tuple[Mutation, ...] = (_flipped, _flipped, _cut, _longer, _overwritten, _spliced, _without)


def _idx(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    rank = rng.choice((0, 1, 2, 3, 3, 3, 4, 255))
    sizes = [rng.choice(_SIZES) % 2**32 if rng.random() < 0.4 else rng.choice((1, 6, 8)) for _ in range(rank)]
    head = bytes((0, 0, rng.choice((0x08, 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0)), rank))
    promised = 1
    for size in sizes:
        promised *= size
    length = rng.choice((promised, promised - 1, promised + 1, len(data) - 16))
    return head + struct.pack(f">{rank}I", *sizes) + rng.randbytes(max(min(length, 5000), 0))


def _gz(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    inner = gzip.decompress(data)
    match rng.randrange(6):
        case 0:
            return gzip.compress(_idx(rng, inner, []), 1, mtime=0)
        case 1:
            return gzip.compress(data, 1, mtime=0)
        case 2:
            return data + gzip.compress(inner, 1, mtime=0)
        case 3:
            packed = bytearray(data)
            packed[-8 + rng.randrange(8)] ^= 1 << rng.randrange(8)
            return bytes(packed)
        case 4:
            packed = bytearray(data)
            packed[3] = rng.randrange(256)
            return bytes(packed)
        case _:
            return gzip.compress(inner + bytes(rng.choice((1, 100, 10**6))), 1, mtime=0)


def _npy(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    length = int.from_bytes(data[8:10], "little")
    text, body = data[10 : 10 + length].decode("latin-1"), data[10 + length :]
    for _change in range(rng.choice((1, 1, 2))):
        match rng.randrange(6):
            case 0:
                text = re.sub(r"'descr': '[^']*'", lambda _: f"'descr': {rng.choice(_DESCRS)!r}", text)
            case 1:
                text = re.sub(r"'shape': \([^)]*\)", lambda _: f"'shape': {rng.choice(_SHAPES)}", text)
            case 2:
                text = text.replace("False", rng.choice(("True", "1", "None", "'yes'", "[]")))
            case 3:
                text = rng.choice(
                    ("{}", "[]", "{" * 90, "'x'", "{'descr': 1}", text.strip() * 2, text + " " * 9990, "\0")
                )
            case 4:
                body = body[: rng.randrange(len(body) + 1)] * rng.choice((1, 2, 4))
            case _:
                text = text.replace("'descr'", rng.choice(("'Descr'", "b'descr'", "'descr': 1, 'descr'")))
    version = rng.choice((1, 1, 1, 2, 3, 0, 4, 255))
    size = rng.choice((len(text),) * 6 + (0, len(text) + 1, 65535, 2**32 - 1))
    width = 2 if version == 1 else 4
    head = b"\x93NUMPY" + bytes((version, 0)) + int(size % 256**width).to_bytes(width, "little")
    return head + text.encode("latin-1", "replace") + body


def _npz(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    if rng.random() < 0.4:
        return _lying_directory(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = rng.randrange(len(members))
    match rng.randrange(6):
        case 0:
            members[at] = members[at][0], _npy(rng, members[at][1], [])
        case 1:
            members[at] = rng.choice(_NAMES), members[at][1]
        case 2:
            del members[at]
        case 3:
            members += [(f"{number}.npy", b"") for number in range(rng.choice((2, 30, 260)))]
        case 4:
            members.append((members[at][0], members[rng.randrange(len(members))][1]))
        case _:
            members[at] = members[at][0], rng.choice((data, b"", bytes(10**5)))
    file = io.BytesIO()
    kind = rng.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    )
    names: set[str] = set()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in members:
            # zipfile warns of a name it has; the second is written under another and renamed below.
            archive.writestr(f"{name[:-1]}~" if name in names else name, content)
            names.add(name)
    return file.getvalue().replace(b"np~", b"npy")


def _lying_directory(rng: random.Random, data: bytes) -> bytes:
    """Change fields of the central directory, of a local header or of the end record."""
    result = bytearray(data)
    for _change in range(rng.choice((1, 1, 2))):
        magic, fields = rng.choice(
            (
                (b"PK\1\2", ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4))),
                (b"PK\3\4", ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))),
                (b"PK\5\6", ((8, 2), (10, 2), (12, 4), (16, 4), (20, 2))),
            )
        )
        places = [found.start() for found in re.finditer(re.escape(magic), data)]
        if not places:
            return bytes(result)
        offset, width = rng.choice(fields)
        at = rng.choice(places) + offset
        old = int.from_bytes(result[at : at + width], "little")
        new = rng.choice((0, 1, old + 1, old - 1, old * 2, 30, len(data), *_SIZES)) % 2 ** (8 * width)
        result[at : at + width] = new.to_bytes(width, "little")
    return bytes(result)


def png_chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """Return a chunk of a PNG file with its right checksum, and perhaps a wrong length."""
    size = len(content) if length is None else length
    return struct.pack(">I", size) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    chunks = []
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return data
    place = rng.randrange(len(chunks))
    match rng.randrange(7):
        case 0 | 1:
            head = bytearray(chunks[0][1])
            field, width = rng.choice(((0, 4), (4, 4), (8, 1), (9, 1), (10, 1), (11, 1), (12, 1)))
            head[field : field + width] = (rng.choice(_SIZES) % 2 ** (8 * width)).to_bytes(width, "big")
            chunks[0] = chunks[0][0], bytes(head)
        case 2:
            chunks.insert(place, (rng.choice(_CHUNKS), rng.randbytes(rng.choice((0, 1, 6, 40)))))
        case 3:
            packed = zlib.compress(bytes(rng.choice((10, 10**5))), 1)
            chunks.insert(
                place, (rng.choice((b"zTXt", b"iTXt", b"iCCP")), b"a\0\0\0\0\0"[: rng.choice((2, 3, 6))] + packed)
            )
        case 4:
            del chunks[place]
        case 5:
            chunks.insert(place, chunks[place])
        case _:
            pixels = zlib.compress(rng.randbytes(rng.choice((0, 20, 500))) + bytes(rng.choice((0, 10**5))), 1)
            chunks[place] = b"IDAT", pixels
    lie = rng.randrange(len(chunks)) if rng.random() < 0.1 else -1
    parts = (
        png_chunk(kind, content, rng.choice(_SIZES) % 2**32 if number == lie else None)
        for number, (kind, content) in enumerate(chunks)
    )
    return data[:8] + b"".join(parts)


def _portable(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    sizes = (str(rng.choice(_SIZES)) if rng.random() < 0.5 else str(rng.choice((7, 9))) for _ in range(2))
    head = rng.choice((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF", b"P7", b"P0cmyk"))
    most = str(rng.choice((1, 255, 65535, 0, 65536, -1, 10**20)))
    comment = rng.choice(("", "# x\n", "#" * 5000 + "\n", "9" * 5000))
    return head + f"\n{comment}{' '.join(sizes)}\n{most}\n".encode() + data[-rng.randrange(1, 70) :]


def _tiff(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    """Change an entry of the first directory: tag, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack(order + "I", data[4:8])
    if start + 2 > len(data):
        return data
    (count,) = struct.unpack(order + "H", data[start : start + 2])
    at = start + 2 + 12 * rng.randrange(max(count, 1))
    field, code = rng.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "H")))
    width = struct.calcsize(code)
    value = rng.choice((*_SIZES, 4, 5, 16, 32, 256, 257, 258, 259, 262, 273, 277, 279, 320, 322, 32773)) % 2 ** (
        8 * width
    )
    return data[: at + field] + struct.pack(order + code, value) + data[at + field + width :]


_BY_FORMAT: dict[str, Mutation] = {
    ".idx": _idx,
    ".gz": _gz,
    ".npy": _npy,
    ".npz": _npz,
    ".png": _png,
    ".pgm": _portable,
    ".ppm": _portable,
    ".pbm": _portable,
    ".tif": _tiff,
}
