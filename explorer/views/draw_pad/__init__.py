"""The draw pad: draw an input, see its code, its reconstructions and its costs."""

from explorer.views.draw_pad.pad import DrawPad

__all__ = ["DrawPad"]
