"""The handles on the canvas as the session knows them: full codes, and images by index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.shapes import Code
from core.snapshots import frozen
from explorer.messages import Handle

# A code beyond this is off every map, and exp() of it off every scale.
CODE_LIMIT = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One handle.  Its image is named by index, because rows of the shown codes come and go."""

    code: Code
    image: int | None = None
    pinned: bool = False


class HandleSet:
    """Handles by number, one of them selected; never empty once a code was added."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._next_id = 1
        self.selected: int | None = None
        self.touched = False
        """Whether anything was done with the handles since they were cleared, but for adding the first."""

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._held

    def __getitem__(self, id_: int) -> Held:
        return self._held[id_]

    @property
    def current(self) -> Held | None:
        """The selected handle."""
        return None if self.selected is None else self._held.get(self.selected)

    def clear(self) -> None:
        """Forget every handle; numbers start anew."""
        self._held.clear()
        self._next_id = 1
        self.selected = None
        self.touched = False

    def add(self, code: Code, image: int | None = None) -> int:
        """Return the number of a new handle, which is selected."""
        self.touched = bool(self._held)
        id_, self._next_id = self._next_id, self._next_id + 1
        self._held[id_] = Held(sane(code), image)
        self.selected = id_
        return id_

    def remove(self, id_: int) -> bool:
        """Return whether the handle was taken away; the last one stays, so that there is always a code in hand."""
        if id_ not in self._held or len(self._held) == 1:
            return False
        del self._held[id_]
        if self.selected == id_:
            self.selected = max(self._held)
        return True

    def move(self, id_: int, code: Code, *, keeps_image: bool) -> None:
        """Put a handle on a code.  The hand wins over a pin."""
        held, self.touched = self._held[id_], True
        self._held[id_] = Held(sane(code), held.image if keeps_image else None)

    def put_on_image(self, code: Code, image: int) -> None:
        """Put the selected handle on an image's code; one that is pinned to another stays, and a new one goes there."""
        held = self.current
        if self.selected is None or (held is not None and held.pinned and held.image != image):
            self.add(code, image)
            return
        self.touched = True
        self._held[self.selected] = Held(sane(code), image, held is not None and held.pinned)

    def place(self, code: Code) -> None:
        """Put the selected handle on a code as the program's own choice, which the user's hand overrides."""
        if self.selected is not None:
            self._held[self.selected] = Held(sane(code))

    def toggle_pin(self, id_: int) -> None:
        """Pin a handle to its image, or free it; without an image nothing happens."""
        held = self._held.get(id_)
        if held is not None and held.image is not None:
            self._held[id_] = replace(held, pinned=not held.pinned)

    def follow_pins(self, code_of: Callable[[int], Code | None]) -> None:
        """Move pinned handles to `code_of` their images, where it is known."""
        for id_, held in self._held.items():
            code = code_of(held.image) if held.pinned and held.image is not None else None
            if code is not None:
                self._held[id_] = replace(held, code=sane(code))

    def forget_images(self) -> None:
        """Free every handle from its image: the data behind the indices has changed."""
        for id_, held in self._held.items():
            self._held[id_] = Held(held.code)

    def shown(self, row_of: Callable[[int | None], int | None]) -> tuple[Handle, ...]:
        """Return the handles as the canvas shows them, anchored to rows of its codes."""
        return tuple(Handle(id_, held.code, row_of(held.image), held.pinned) for id_, held in self)

    def __iter__(self) -> Iterator[tuple[int, Held]]:
        return iter(self._held.items())


def sane(code: Code) -> Code:
    """Return a read-only copy without NaN and within CODE_LIMIT."""
    limited = np.clip(np.array(code, np.float32), -CODE_LIMIT, CODE_LIMIT)
    limited[np.isnan(limited)] = 0.0
    return frozen(limited, np.float32)


def placed(code: Code, axes: tuple[int, int], a: float, b: float) -> Code:
    """Return a copy of the code with its two shown coordinates replaced; one-dimensional codes take the first."""
    result = np.array(code, np.float32)
    result[axes[0]] = a
    if len(result) > 1:
        result[axes[1]] = b
    return result
