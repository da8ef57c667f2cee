"""Work that a card does several times in one call."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

TIMES = (16, 4, 1)
"""How often the graphs of one piece of work do it.

Each call takes the interpreter's lock some ten times, however often the work is done in it: what is done one by one
waits for a window that is busy with a hand, and the window for it.
"""
MOST = TIMES[0]

_WARM_UP = 3
"""Before a capture libraries have to have made their choices, and the allocator its room."""

Work = Callable[[int, torch.Generator], Tensor]
"""What the number-th piece of work gives, with random numbers of this generator."""


class GraphedWork:
    """CUDA graphs of the same work done 16, 4 and 1 times in a row, each time with random numbers of its own."""

    def __init__(self, work: Work, device: torch.device) -> None:
        """Do the work a few times, and capture it.  Raises RuntimeError where the card cannot do that."""
        generators = [torch.Generator(device) for _ in range(MOST)]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        try:
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UP):
                    work(0, generators[0])
                self._graphs = {times: _Graph(work, generators[:times]) for times in TIMES}
        finally:
            # What the work has made and keeps may be used at once, also where it came to no graph.
            torch.cuda.current_stream().wait_stream(stream)

    def fitting(self, count: int) -> int:
        """Return how often the graph does its work that is the largest for work to be done so often; 0 for none."""
        return next((times for times in TIMES if times <= count), 0)

    def replay(self, seeds: Sequence[int]) -> Tensor:
        """Return what each piece of work gives, one row each, with these seeds; so many are one of `TIMES`."""
        return self._graphs[len(seeds)].replay(seeds)


class _Graph:
    """One graph, captured in the current stream."""

    def __init__(self, work: Work, generators: Sequence[torch.Generator]) -> None:
        self._generators = generators
        self._graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self._graph.register_generator_state(generator)
        # Not by torch.cuda.graph(), which in older releases has Python collect its garbage in this thread.
        torch.cuda.synchronize()
        # Another thread may use the card meanwhile.
        self._graph.capture_begin(capture_error_mode="thread_local")
        try:
            self._results = torch.stack([work(number, generator) for number, generator in enumerate(generators)])
        finally:
            self._graph.capture_end()

    def replay(self, seeds: Sequence[int]) -> Tensor:
        for generator, seed in zip(self._generators, seeds, strict=True):
            generator.manual_seed(seed)
        self._graph.replay()
        # The next replay writes over it.
        return self._results.clone()
