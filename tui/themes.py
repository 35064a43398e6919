"""The themes: a few of our own and the best of Textual's, each made legible for the terminal that it is to be shown
on. With a theme come the weaker degrees of its text, its bars and marks, one hue for each process type, and what the
sixteen colours of programs look like beside it.
"""

from dataclasses import replace

from rich.terminal_theme import TerminalTheme
from textual.color import BLACK, WHITE, Color
from textual.theme import BUILTIN_THEMES, Theme

from .colours import SIXTEEN, Depth, contrast, fitted, readable
from .loglines import HUES

TEXT = 4.5
"""The contrast of text with what it stands on."""
WEAK = 3.0
"""That of rules, times and signs, and of what is less important."""
_BAR = 1.3
"""That of the selected row's bar with the other rows."""

DARK = Theme(
    name="procdeck",
    primary="#6cb6ff",
    secondary="#8b9bb4",
    success="#57c78a",
    warning="#e3b341",
    error="#f47067",
    accent="#6cb6ff",
    foreground="#cdd6e0",
    background="#0f141b",
    surface="#151c25",
    panel="#1d2632",
    dark=True,
)
LIGHT = Theme(
    name="procdeck-light",
    primary="#0550ae",
    secondary="#57606a",
    success="#116329",
    warning="#7d4e00",
    error="#b0141f",
    accent="#0550ae",
    foreground="#1f2328",
    background="#ffffff",
    surface="#f3f5f8",
    panel="#e6eaef",
    dark=False,
)
CONTRAST = Theme(
    name="high-contrast",
    primary="#7fd4ff",
    secondary="#e0e0e0",
    success="#5cff8a",
    warning="#ffe14d",
    error="#ff8078",
    accent="#7fd4ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
)
CONTRAST_LIGHT = Theme(
    name="high-contrast-light",
    primary="#00308f",
    secondary="#303030",
    success="#004d14",
    warning="#5c3200",
    error="#8a0010",
    accent="#00308f",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#ececec",
    dark=False,
)

_BORROWED = (
    BUILTIN_THEMES["nord"],
    # The warning of some is nearly their error; states are told by these here.
    replace(BUILTIN_THEMES["gruvbox"], success="#8ec07c", warning="#fabd2f"),
    BUILTIN_THEMES["tokyo-night"],
    replace(BUILTIN_THEMES["catppuccin-mocha"], warning="#f9e2af", error="#f38ba8"),
    replace(BUILTIN_THEMES["dracula"], warning="#f1fa8c"),
    replace(BUILTIN_THEMES["solarized-dark"], warning="#b58900"),
    BUILTIN_THEMES["catppuccin-latte"],
    replace(BUILTIN_THEMES["solarized-light"], warning="#b58900"),
)
"""Themes of Textual."""

THEMES: dict[str, Theme] = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST, CONTRAST_LIGHT, *_BORROWED)}
"""Those that can be chosen, as they were designed."""

_FEW_DARK = replace(
    DARK,
    primary="#55ffff",
    secondary="#aaaaaa",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    accent="#55ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#0000aa",
)
# Neither green nor cyan can be read on a light terminal of sixteen colours, and its brown may be a bright yellow.
_FEW_LIGHT = replace(
    LIGHT,
    primary="#0000aa",
    secondary="#555555",
    success="#0000aa",
    warning="#aa00aa",
    error="#aa0000",
    accent="#0000aa",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#55ffff",
)

_PROGRAMS_DARK = (
    *("#48525f", "#f47067", "#57c78a", "#e3b341", "#6cb6ff", "#d096e6", "#5fc8cd", "#bec7d1"),
    *("#7d8794", "#ff8c82", "#78dca5", "#f0c864", "#91cbff", "#e1aff5", "#82dce1", "#ebf0f5"),
)
_PROGRAMS_LIGHT = (
    *("#24292f", "#b0141f", "#116329", "#7d4e00", "#0550ae", "#7a3ec8", "#1b6c73", "#6e7781"),
    *("#57606a", "#cf222e", "#1a7f37", "#9a6700", "#0969da", "#8250df", "#2a7e86", "#7a828b"),
)


def choices(depth: Depth) -> list[str]:
    """The themes that look different on such a terminal."""
    return [DARK.name, LIGHT.name] if depth is Depth.FOUR_BIT else [*THEMES]


def made(theme: Theme, depth: Depth = Depth.TRUE) -> Theme:
    """A theme as it is shown: every text on it can be read, and the terminal has every colour of it."""
    if depth is Depth.FOUR_BIT:
        theme = replace(_FEW_DARK if theme.dark else _FEW_LIGHT, name=theme.name)
    wished = theme.to_color_system()
    dark = theme.dark
    back, surface, panel, text, accent, warning = (
        fitted(colour, depth)
        for colour in (
            wished.background or Color.parse("black" if dark else "white"),
            wished.surface or wished.primary,
            wished.panel or wished.primary,
            wished.foreground or Color.parse("white" if dark else "black"),
            wished.primary,
            wished.warning or wished.primary,
        )
    )
    bars = _bars(back, text, accent, dark=dark, depth=depth)
    plain = [back, surface, panel, bars["bar"], bars["bar-idle"]]
    tone_least = TEXT if depth is not Depth.FOUR_BIT else WEAK

    def tone(colour: Color | None, least: float = tone_least) -> Color:
        return readable(colour or accent, plain, least, dark=dark, depth=depth)

    text = readable(text, [*plain, bars["selected"], bars["match"]], TEXT, dark=dark, depth=depth)
    tones = {
        "primary": tone(wished.primary),
        "secondary": tone(wished.secondary),
        "success": tone(wished.success),
        "warning": readable(warning, plain, tone_least, dark=dark, depth=depth),
        "error": tone(wished.error),
        "accent": tone(wished.accent),
    }
    few = depth is Depth.FOUR_BIT
    grey = Color.parse(("#aaaaaa" if dark else "#555555") if few else back.blend(text, 0.62).hex)
    weak = readable(
        readable(grey, [back, surface], tone_least, dark=dark, depth=depth), plain, WEAK, dark=dark, depth=depth
    )
    faint = weak if few else readable(back.blend(text, 0.44), [back, surface], WEAK, dark=dark, depth=depth)
    spark = weak if few else readable(back.blend(accent, 0.72), plain, WEAK, dark=dark, depth=depth)
    hues = {
        f"hue-{i}": readable(Color.parse(hue), [back, surface], tone_least, dark=dark, depth=depth)
        for i, hue in enumerate(HUES)
    }
    derived = {
        **bars,
        "weak": weak,
        "faint": faint,
        "spark": spark,
        **hues,
        **{f"text-{name}": colour for name, colour in tones.items()},
        "text-muted": weak,
        "border": tones["primary"],
        "scrollbar": faint,
        "scrollbar-hover": tones["primary"],
        "scrollbar-active": tones["primary"],
        "scrollbar-background": surface,
        "scrollbar-background-hover": surface,
        "scrollbar-background-active": surface,
        "scrollbar-corner-color": surface,
        "input-cursor-background": text,
        "input-cursor-foreground": back,
        "input-selection-background": bars["selected"],
    }
    return Theme(
        name=theme.name,
        primary=tones["primary"].hex,
        secondary=tones["secondary"].hex,
        success=tones["success"].hex,
        warning=tones["warning"].hex,
        error=tones["error"].hex,
        accent=tones["accent"].hex,
        foreground=text.hex,
        background=back.hex,
        surface=surface.hex,
        panel=panel.hex,
        dark=dark,
        variables={name: colour.hex for name, colour in derived.items()},
    )


def _bars(back: Color, text: Color, accent: Color, *, dark: bool, depth: Depth) -> dict[str, Color]:
    """What text stands on where it is selected, found, or in the row that has the cursor."""
    if depth is Depth.FOUR_BIT:
        names = ("bar", "bar-idle", "selected", "match")
        few = ("#0000aa", "#555555", "#0000aa", "#aa5500") if dark else ("#55ffff", "#ffffff", "#55ffff", "#ffff55")
        return {name: Color.parse(colour) for name, colour in zip(names, few, strict=True)}
    strength = 1.0 if dark else 0.6
    return {
        "bar": _stands_out(back, accent, 0.26 * strength, depth),
        "bar-idle": _stands_out(back, text, 0.12 * strength, depth, 1.15),
        "selected": _behind_text(back, accent, 0.38 * strength, depth, dark=dark),
        "match": _behind_text(back, Color.parse("#e3b341"), 0.42 if dark else 0.55, depth, dark=dark),
    }


def _stands_out(back: Color, colour: Color, share: float, depth: Depth, least: float = _BAR) -> Color:
    """The background with a share of a colour; with more of it, until it can be told from the background."""
    shares = [min(1.0, share + step / 20) for step in range(20)]
    found = [fitted(back.blend(colour, one), depth) for one in shares]
    return next((one for one in found if contrast(one, back) >= least), found[-1])


def _behind_text(back: Color, colour: Color, share: float, depth: Depth, *, dark: bool) -> Color:
    """The background with a share of a colour; with less of it, where no text could be read on that."""
    text = WHITE if dark else BLACK
    found = [fitted(back.blend(colour, share * (20 - step) / 20), depth) for step in range(20)]
    return next((one for one in found if contrast(one, text) >= TEXT + 0.5), found[-1])


def program_colours(theme: Theme, depth: Depth = Depth.TRUE) -> TerminalTheme:
    """What a program's sixteen colours look like on a theme: as text they can be read on its background, and they stand
    beside its own without shouting.

    Args:
        theme: one that was made for that terminal.
        depth: how many colours that has.
    """
    back = Color.parse(theme.background or "black")
    if depth is Depth.FOUR_BIT:
        # As they are: it is the terminal that says what they look like.
        normal = [Color(*parts) for parts in SIXTEEN]
    else:
        normal = [Color.parse(name) for name in (_PROGRAMS_DARK if theme.dark else _PROGRAMS_LIGHT)]
        for place, own in ((1, theme.error), (2, theme.success), (3, theme.warning)):
            normal[place] = Color.parse(own) if own else normal[place]
    shown = [readable(colour, [back], WEAK, dark=theme.dark, depth=depth).rgb for colour in normal]
    return TerminalTheme(back.rgb, Color.parse(theme.foreground or "white").rgb, shown[:8], shown[8:])
