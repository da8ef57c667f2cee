"""Similar input, similar code: clouds of codes under noise, and nearest neighbours."""

from explorer.views.similar.column import CLOUD_COLOUR
from explorer.views.similar.neighbours import NeighbourPictures
from explorer.views.similar.panel import MOST_BESIDE, SimilarPanel

__all__ = ["CLOUD_COLOUR", "MOST_BESIDE", "NeighbourPictures", "SimilarPanel"]
