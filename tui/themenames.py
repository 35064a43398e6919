"""What the themes are called, and which one is meant by a name. Loads no part of Textual: the command line checks
settings with it. How they look is `themes`' matter.
"""

from procdeck.core.formation import nearest

NAMES = (
    *("procdeck", "procdeck-light", "high-contrast", "high-contrast-light"),
    *("nord", "gruvbox", "tokyo-night", "catppuccin-mocha", "dracula", "solarized-dark"),
    *("catppuccin-latte", "solarized-light"),
)
"""In the order in which they are offered."""


def theme_named(name: str) -> tuple[str | None, str]:
    """The theme of a name in any case; else None, and a sentence with the nearest one."""
    known = name.strip().lower().replace(" ", "-")
    if known in NAMES:
        return known, ""
    guess = nearest(known, NAMES)
    hint = f"did you mean {guess}?" if guess else f"there are {', '.join(NAMES)}."
    return None, f"There is no theme {name!r}: {hint}"
