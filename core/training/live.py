"""Settings that can be changed while a run is under way, from another thread."""

from collections.abc import Iterator
from dataclasses import replace

from core.compatibility import check_experiment
from core.config import ExperimentConfig

_SECTION_OF = {"learning_rate": "training", "beta": "objective"}


class LiveSettings:
    """Changes that wait for the next step."""

    def __init__(self) -> None:
        self._wanted: dict[str, float] = {}

    def want(self, config: ExperimentConfig, name: str, value: float) -> None:
        """Ask for a change of `config`.  Raises ConfigError for a value that is not allowed."""
        section = getattr(config, _SECTION_OF[name])
        checked: float = getattr(replace(section, **{name: value}), name)
        check_experiment(config.with_values({name: checked}))
        self._wanted[name] = checked

    def changes(self, config: ExperimentConfig) -> Iterator[tuple[str, float, float]]:
        """Yield name, present and wanted value of what is to be different, and forget them."""
        while self._wanted:
            name, value = self._wanted.popitem()
            before = getattr(getattr(config, _SECTION_OF[name]), name)
            if value != before:
                yield name, before, value
