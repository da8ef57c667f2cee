"""What the codes of a whole data set say: information, activity, rate and distortion, the scoreboard."""

from explorer.views.read_outs.panel import ReadOutsPanel
from explorer.views.read_outs.plane_point import PlanePoint

__all__ = ["PlanePoint", "ReadOutsPanel"]
