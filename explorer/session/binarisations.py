"""In which binarisation the open data are seen, and in which the next model is to see them."""

from dataclasses import replace

from core.compatibility import needs_grey
from core.config import DataConfig, ExperimentConfig, ModelConfig


def shown(wanted: str, model: ModelConfig | None) -> str:
    """Return the binarisation in which the open model sees data: greys where it describes nothing else."""
    return "none" if model is not None and needs_grey(model) else wanted


def of_next_run(config: ExperimentConfig, opened: DataConfig) -> DataConfig:
    """Return the data's settings of the next run once these data are open.

    What was chosen stays while the data are the same ones, seen in another way; other data bring their own settings,
    but for a binarisation that the chosen likelihood cannot describe.
    """
    same = replace(opened, binarisation=config.data.binarisation, num_levels=config.data.num_levels)
    if same == config.data:
        return config.data
    return replace(opened, binarisation=shown(opened.binarisation, config.model))
