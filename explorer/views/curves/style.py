"""The look of the buttons around the curves."""

from explorer.theme import Palette


def panel_style(colours: Palette) -> str:
    """Return the style sheet of the panel's buttons and captions in a theme's colours."""
    return f"""
QToolButton#control {{
    background: {colours.button}; color: {colours.text}; border: 1px solid {colours.border};
    border-radius: 4px; padding: 2px 7px;
}}
QToolButton#control:hover {{ border-color: {colours.muted_text}; }}
QToolButton#control:checked {{
    background: {colours.accent}; color: {colours.accent_text}; border-color: {colours.accent};
}}
QToolButton#control:disabled {{ color: {colours.muted_text}; background: transparent; }}
QToolButton#control:focus {{ border: 1px solid {colours.text}; }}
QToolButton#control[segment="first"] {{ border-top-right-radius: 0; border-bottom-right-radius: 0; }}
QToolButton#control[segment="middle"] {{ border-radius: 0; border-left: none; }}
QToolButton#control[segment="last"] {{ border-top-left-radius: 0; border-bottom-left-radius: 0; border-left: none; }}
QToolButton#control[segment]:focus {{ border: 1px solid {colours.text}; }}
QToolButton#control::menu-indicator {{ subcontrol-position: right center; subcontrol-origin: padding; right: 4px; }}
QToolButton#control[popupMode="2"] {{ padding-right: 18px; }}
QToolButton#legend {{
    border: 1px solid transparent; border-radius: 3px; padding: 0px 3px;
    color: {colours.muted_text}; background: transparent;
}}
QToolButton#legend:checked {{ color: {colours.text}; }}
QToolButton#legend:hover {{ background: {colours.button}; }}
QToolButton#legend:focus {{ border-color: {colours.accent}; }}
QLabel#caption {{ color: {colours.muted_text}; }}
QLabel#note {{ color: {colours.note}; }}
"""
