"""An app that has a theme: the one that was chosen, made for the terminal in which it runs, and chosen anew with a list
in which moving shows each. Which themes there are is `themes`' matter.

Where NO_COLOR is set nothing has a colour: style sheets say by `:nocolor` what is reversed or underlined instead. Where
the terminal draws ASCII only, nothing else is written to it.
"""

import os
from collections.abc import Sequence
from typing import Any

from textual.app import App
from textual.filter import LineFilter
from textual.theme import Theme

from .asciilines import AsciiLines
from .colours import Depth
from .screens.themes import ThemeScreen
from .status import glyphs, is_utf8
from .themenames import theme_named
from .themes import DARK, LIGHT, THEMES, choices, made, program_colours


class ThemedApp(App[int]):
    """An app with a theme."""

    def __init__(self, *, depth: Depth | None = Depth.TRUE, light: bool = False, **options: Any) -> None:
        """
        Args:
            depth: how many colours the terminal has; None: what TERM and COLORTERM say.
            light: its background is light.
            options: for the app.
        """
        # With NO_COLOR the terminal's own two colours: Textual would paint in shades of grey.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None, **options)
        self._depth = depth or Depth(self.console.color_system or Depth.TRUE.value)
        self._fallback = LIGHT.name if light else DARK.name
        self._chosen = False
        """It is not the terminal's background that the theme goes with."""
        self._ascii: list[LineFilter] = []
        if glyphs().ascii:
            self._ascii = [AsciiLines(all_text=not is_utf8())]
        self.choose_theme(None)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Those of Textual, and the one that leaves nothing but ASCII."""
        return [*super().get_line_filters(), *self._ascii] if self._ascii else super().get_line_filters()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """For a theme that was not made here."""
        return made(DARK).variables

    def choose_theme(self, name: str | None) -> str:
        """Shows in a theme; None: in the one that goes with the terminal's background.

        Returns:
            What is wrong with the name, in a sentence; empty when nothing is.
        """
        known, trouble = theme_named(name) if name else (None, "")
        self._chosen = known is not None
        theme = made(THEMES[known or self._fallback], self._depth)
        self.register_theme(theme)
        colours = program_colours(theme, self._depth)
        if theme.dark:
            self.ansi_theme_dark = colours
        else:
            self.ansi_theme_light = colours
        self.theme = theme.name
        return trouble

    def go_with_background(self, *, light: bool) -> None:
        """The terminal has said what its background is like. Whoever has chosen a theme keeps that."""
        fallback = LIGHT.name if light else DARK.name
        if fallback != self._fallback:
            self._fallback = fallback
            if not self._chosen:
                self.choose_theme(None)

    def action_theme(self) -> None:
        """Chooses a theme: moving shows it."""
        if self.no_color:
            self.notify("NO_COLOR is set: there are the terminal's own two colours.")
            return
        before, chosen = self.theme, self.theme if self._chosen else None

        def then(name: str | None) -> None:
            self.choose_theme(name or chosen)
            if name is not None:
                self.theme_kept(name)

        names = choices(self._depth)
        self.push_screen(ThemeScreen(names, before, self._made, self.choose_theme, glyphs()), then)

    def action_take_theme(self, name: str) -> None:
        """Shows in a theme from now on."""
        self.choose_theme(name)
        self.theme_kept(name)

    def theme_choices(self) -> list[str]:
        """The names of the themes that there are on this terminal."""
        return [] if self.no_color else [*choices(self._depth)]

    def _made(self, name: str) -> Theme:
        return made(THEMES[name], self._depth)

    def theme_kept(self, name: str) -> None:
        """A person has chosen a theme."""
