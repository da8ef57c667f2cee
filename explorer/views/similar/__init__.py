"""Similar input, similar code: clouds of codes under noise, and nearest neighbours."""

from explorer.views.similar.panel import SimilarPanel

__all__ = ["SimilarPanel"]
