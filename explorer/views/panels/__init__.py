"""The panels at the left: data, model and training."""

from explorer.views.panels.data import DataPanel
from explorer.views.panels.model import ModelPanel
from explorer.views.panels.training import TrainingPanel

__all__ = ["DataPanel", "ModelPanel", "TrainingPanel"]
