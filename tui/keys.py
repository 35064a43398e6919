"""Every key of the dashboard, in one table: what it does, in which words, and on which screen. Help, footer and palette
are made from it. Other keys for them (`[keys]` of the settings) are `keymap`'s matter. Loads no part of Textual: the
command line checks settings against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """A key and what it does."""

    keys: str
    """As Textual names them, with commas between."""
    action: str
    shown: str
    """The key as people write it."""
    help: str
    """What it does, for the help screen."""
    group: str
    hint: str = ""
    """A word for the footer; empty: never there."""
    called: str = ""
    """Its name, where that does not follow from the action."""

    @property
    def name(self) -> str:
        """What it is called in the settings and in the palette, the same in all views."""
        return self.called or _NAMES.get(self.action) or self.action.removeprefix("app.")

    def binding(self) -> Binding:
        """For Textual."""
        from textual.binding import Binding

        # A priority binding acts before the next key is handed to the widget that has the focus now. All are such, or
        # one that moves the focus would overtake those that were typed before it.
        return Binding(
            self.keys, self.action, self.help, show=False, key_display=self.shown, priority=True, id=self.name
        )


_NAMES = {
    "move(1)": "move_down",
    "move(-1)": "move_up",
    "move_page(1)": "page_down",
    "move_page(-1)": "page_up",
    "scroll(1)": "move_down",
    "scroll(-1)": "move_up",
    "scroll_page(1)": "page_down",
    "scroll_page(-1)": "page_up",
    "scroll_first": "move_first",
    "scroll_last": "move_last",
    "sort_by(1)": "sort_right",
    "sort_by(-1)": "sort_left",
    "reverse": "sort_reverse",
    "scale_by(1)": "scale_up",
    "scale_by(-1)": "scale_down",
    "move_to_run(-1)": "previous_run",
    "move_to_run(1)": "next_run",
    "walk(-1)": "previous_run",
    "walk(1)": "next_run",
    "app.quit_formation": "quit",
    "copy_or_quit": "interrupt",
}
"""Names of actions that are not named by the method that does them."""


# What several views have ----------------------------------------------------------------------------------------------

_MORE = Key("plus,equals_sign", "scale_by(1)", "+ =", "one more of this type", "Scale", "scale")
_FEWER = Key("minus,underscore", "scale_by(-1)", "- _", "one fewer: the highest number goes", "Scale", "scale")
_SCALE = Key("s", "scale", "s", "scale to a count, or: web=5 worker+1", "Scale", "scale to")
_RESTART = Key("r", "restart", "r", "restart; start what is down; retry now", "Processes", "restart")
_RESTART_CRASHED = Key("R", "restart_crashed", "R", "restart all that crashed", "Processes", "restart crashed")
_ROLL = Key("Z", "roll", "Z", "rolling restart of the type", "Processes")
_STOP = Key("x", "stop", "x", "stop: the stop signal, later KILL", "Processes", "stop")
_KILL = Key("X", "kill", "X", "KILL now", "Processes", "kill")
_HOLD = Key("h", "hold", "h", "hold: no more tries; again: let go", "Processes", "hold")
_APPLY = Key("u", "apply", "u", "apply changes of Procfile, .env, settings", "Processes")
_ATTACH = Key("a", "attach", "a", "attach the terminal to it; ctrl+] leaves", "Processes", "attach")
_INSPECT = Key("i", "inspect", "i", "inspect the crash: why, where, since when", "Processes", "inspect")
_EDIT = Key("e", "edit", "e", "open the editor at the place of the crash", "Processes", "edit")
_BROWSE = Key("o", "browse", "o", "open http://localhost:PORT in the browser", "Processes", "browser")
_TO_MAIN = Key("1", "app.show_main", "1", "the main view", "Dashboard", "main")
_TO_SCALING = Key("2", "app.show_scaling", "2", "scaling: what one more process buys", "Dashboard", "scaling")
_TO_GRID = Key("3", "app.show_grid", "3", "the grid: a cell for each instance", "Dashboard", "grid")
_PALETTE = Key("colon,ctrl+p", "app.palette", ": ctrl+p", "the commands, by their names", "Dashboard", "commands")
_HELP = Key("question_mark", "app.help", "?", "this help", "Dashboard", "help")
_THEME = Key("T", "app.theme", "T", "another theme: moving shows each", "Dashboard")
_DETACH = Key("d", "app.detach", "d", "leave it running, and go", "Dashboard", "detach")
_QUIT = Key("q", "app.quit_formation", "q", "stop all and quit; again: KILL now", "Dashboard", "quit")
_INTERRUPT = Key("ctrl+c", "app.quit_formation", "ctrl+c", "stop all and quit", "Dashboard", called="interrupt")


def _scaling(*, counted: bool = False) -> tuple[Key, ...]:
    """More and fewer of a type. `counted`: help tells of numbers before the key too."""
    more, fewer = _MORE, _FEWER
    if counted:
        more = replace(more, help="one more of this type; 5+ adds five")
        fewer = replace(fewer, help="one fewer, the highest; 3- takes three")
    return more, fewer, _SCALE


def _processes(roll: Key = _ROLL) -> tuple[Key, ...]:
    """What is done to processes in every view that has something selected."""
    return _RESTART, _RESTART_CRASHED, roll, _STOP, _KILL, _HOLD, _APPLY


def _dashboard() -> tuple[Key, ...]:
    """What is about the dashboard itself."""
    return _PALETTE, _HELP, _THEME, _DETACH, _QUIT


def _unhinted(*keys: Key) -> tuple[Key, ...]:
    """The same keys where the footer has other things to say."""
    return tuple(replace(key, hint="") for key in keys)


def _in(group: str, *keys: Key) -> tuple[Key, ...]:
    """The same keys in another group."""
    return tuple(replace(key, group=group) for key in keys)


def _scrolling(group: str) -> tuple[Key, ...]:
    """The keys of what only scrolls."""
    return (
        Key("j,down", "scroll(1)", "j ↓", "down", group),
        Key("k,up", "scroll(-1)", "k ↑", "up", group),
        Key("g,home", "scroll_first", "g home", "to the top", group),
        Key("G,end", "scroll_last", "G end", "to the end", group),
        Key("ctrl+d,pagedown", "scroll_page(1)", "ctrl+d", "half a page down", group),
        Key("ctrl+u,pageup", "scroll_page(-1)", "ctrl+u", "half a page up", group),
    )


# The views ------------------------------------------------------------------------------------------------------------

MAIN: tuple[Key, ...] = (
    Key("j,down", "move(1)", "j ↓", "next row, or down in the log", "Move"),
    Key("k,up", "move(-1)", "k ↑", "previous row, or up in the log", "Move"),
    Key("g,home", "move_first", "g home", "first row, beginning of the log", "Move"),
    Key("G,end", "move_last", "G end", "last row, end of the log", "Move"),
    Key("ctrl+d", "move_page(1)", "ctrl+d", "half a page down", "Move"),
    Key("ctrl+u", "move_page(-1)", "ctrl+u", "half a page up", "Move"),
    Key("left", "fold", "←", "fold the type; log: to the left", "Move"),
    Key("right", "unfold", "→", "unfold the type; log: to the right", "Move"),
    Key("space", "toggle_fold", "space", "fold or unfold the type", "Move"),
    Key("asterisk", "fold_all", "*", "fold all types, or unfold all", "Move"),
    Key("tab", "swap_pane", "tab", "go to the log and back", "Move"),
    Key("greater_than_sign", "sort_by(1)", ">", "sort by the next column, or click it", "Rows"),
    Key("less_than_sign", "sort_by(-1)", "<", "sort by the column before", "Rows"),
    Key("I", "reverse", "I", "sort the other way round", "Rows"),
    *_scaling(counted=True),
    *_processes(),
    _ATTACH,
    _INSPECT,
    _EDIT,
    _BROWSE,
    Key("enter", "open", "enter", "open the instance; if crashed, inspect it", "Processes", "open"),
    Key("exclamation_mark", "next_crashed", "!", "jump to the next crashed instance", "Processes", "next crashed"),
    Key("slash", "find", "/", "find in the log; table: filter rows", "Log", "find"),
    Key("n", "next_match", "n", "next match", "Log"),
    Key("N", "previous_match", "N", "previous match", "Log"),
    Key("ampersand", "filter", "&", "show only matching lines; &!: hide them", "Log", "filter"),
    Key("L", "level", "L", "least level: info, warning, error, all", "Log", "level"),
    Key("f", "follow", "f", "follow new lines, or stay", "Log", "follow"),
    Key("left_square_bracket", "move_to_run(-1)", "[", "beginning of this run, of the one before", "Log", "run back"),
    Key("right_square_bracket", "move_to_run(1)", "]", "beginning of the next run", "Log", "next run"),
    Key("t", "times", "t", "time: clock, since start, delta, off", "Log", "time"),
    Key("w", "wrap", "w", "wrap long lines, or cut them", "Log", "wrap"),
    Key("J", "open_json", "J", "open JSON lines, or show them as they are", "Log", "open JSON"),
    Key("m", "mark", "m", "mark for the merged log, or unmark", "Log", "mark"),
    Key("0", "merged", "0", "the log of everything, merged", "Log"),
    Key("y", "copy", "y", "copy what is selected, else a line", "Log", "copy"),
    Key("S", "save", "S", "save the log to a file", "Log", "save"),
    Key("z", "zoom", "z", "the log on the whole screen", "Log", "zoom"),
    *_unhinted(_TO_MAIN),
    _TO_SCALING,
    _TO_GRID,
    Key("escape", "back", "esc", "back out one level", "Dashboard"),
    *_dashboard(),
    Key("ctrl+c", "copy_or_quit", "ctrl+c", "copy what is selected; else quit", "Dashboard"),
)

GRID: tuple[Key, ...] = (
    Key("j,down", "move(1)", "j ↓", "the line below", "Grid"),
    Key("k,up", "move(-1)", "k ↑", "the line above", "Grid"),
    Key("left", "step(-1)", "←", "the instance before", "Grid", called="move_left"),
    Key("right", "step(1)", "→", "the next instance", "Grid", called="move_right"),
    Key("g,home", "move_first", "g home", "the first instance", "Grid"),
    Key("G,end", "move_last", "G end", "the last instance", "Grid"),
    Key("ctrl+d,pagedown", "move_page(1)", "ctrl+d", "half a page down", "Grid"),
    Key("ctrl+u,pageup", "move_page(-1)", "ctrl+u", "half a page up", "Grid"),
    Key("tab", "next_type", "tab", "the next type", "Grid", "next type"),
    Key("shift+tab", "next_type(-1)", "shift+tab", "the type before", "Grid", called="previous_type"),
    Key("exclamation_mark", "next_crashed", "!", "jump to the next crashed instance", "Grid", "next crashed"),
    Key("slash", "seek", "/", "go to an instance by a part of its name", "Grid", "go to", called="find"),
    Key("n", "next_match", "n", "the next one with such a name", "Grid"),
    Key("N", "previous_match", "N", "the one before with such a name", "Grid"),
    Key("c", "colour", "c", "colour by state, CPU, memory", "Grid", "colour"),
    Key("enter", "open", "enter", "inspect a crashed one; else open the instance", "Grid"),
    *_scaling(),
    *_processes(),
    _ATTACH,
    _INSPECT,
    _EDIT,
    _BROWSE,
    _TO_MAIN,
    _TO_SCALING,
    Key("escape", "back", "esc", "back to the main view", "Dashboard"),
    *_dashboard(),
    _INTERRUPT,
)

SCALING: tuple[Key, ...] = (
    Key("j,down,tab", "move(1)", "j ↓ tab", "the next type", "Scaling"),
    Key("k,up,shift+tab", "move(-1)", "k ↑", "the type before", "Scaling"),
    Key("g,home", "move_first", "g home", "the first type", "Scaling"),
    Key("G,end", "move_last", "G end", "the last type", "Scaling"),
    Key("left_square_bracket,left", "look(1)", "[ ←", "more time in the plots", "Scaling", "time", called="more_time"),
    Key("right_square_bracket,right", "look(-1)", "] →", "less time in the plots", "Scaling", called="less_time"),
    Key("c", "charts", "c", "what goes through the route, or work", "Scaling", "charts"),
    Key("enter", "open", "enter", "the type in the main view", "Scaling"),
    *_scaling(counted=True),
    *_processes(roll=replace(_ROLL, hint="roll")),
    _INSPECT,
    _TO_MAIN,
    _TO_GRID,
    Key("escape", "back", "esc", "back to the main view", "Dashboard"),
    *_dashboard(),
    _INTERRUPT,
)

INSPECTOR: tuple[Key, ...] = (
    *_scrolling("Crash inspector"),
    Key("left_square_bracket", "walk(-1)", "[ ]", "the crash before", "Crash inspector", "walk runs"),
    Key("right_square_bracket", "walk(1)", "]", "the next crash", "Crash inspector"),
    Key("d", "difference", "d", "what differs from another crash", "Crash inspector", "differs"),
    *_in("Crash inspector", _EDIT),
    Key("v", "environment", "v", "the environment; again: with its secrets", "Crash inspector", "env"),
    Key("y", "copy", "y", "copy the report as Markdown", "Crash inspector", "copy"),
    Key("r", "restart", "r", "try again now", "Crash inspector", "retry now"),
    *_in("Crash inspector", _HOLD),
    Key("enter", "show_instance", "enter", "the instance: processes, settings, runs", "Crash inspector", "instance"),
    Key("exclamation_mark", "next_crashed", "!", "the crash of the next crashed instance", "Crash inspector"),
    *_in("Crash inspector", *_unhinted(_ROLL, _STOP, _KILL, _ATTACH, _BROWSE, _TO_MAIN, _TO_SCALING, _TO_GRID)),
    Key("escape,i", "back", "esc i", "back out one level", "Crash inspector", "back"),
    *_in("Crash inspector", _PALETTE, _HELP, *_unhinted(_THEME, _QUIT), _INTERRUPT),
)

THEMES: tuple[Key, ...] = (
    Key("j,down,T,tab", "move(1)", "j ↓ T", "the next theme", "Themes"),
    Key("k,up,shift+tab", "move(-1)", "k ↑", "the theme before", "Themes"),
    Key("g,home", "move_first", "g home", "the first theme", "Themes"),
    Key("G,end", "move_last", "G end", "the last theme", "Themes"),
    Key("enter,space", "keep", "enter", "keep this one", "Themes"),
    Key("escape,q,ctrl+c", "back", "esc", "back to the one before", "Themes"),
)

INSTANCE: tuple[Key, ...] = (
    Key("j,down", "move(1)", "j ↓", "next process; behind the last: down the page", "Instance"),
    Key("k,up", "move(-1)", "k ↑", "previous process, or up the page", "Instance"),
    Key("g,home", "move_first", "g home", "first process, top of the page", "Instance"),
    Key("G,end", "move_last", "G end", "last process; again: end of the page", "Instance"),
    Key("ctrl+d,pagedown", "move_page(1)", "ctrl+d", "half a page down", "Instance"),
    Key("ctrl+u,pageup", "move_page(-1)", "ctrl+u", "half a page up", "Instance"),
    Key("tab", "swap_pane", "tab", "next part of the page, or the other pane", "Instance", "next part"),
    Key("left", "fold", "←", "alike processes in one line", "Instance"),
    Key("right", "unfold", "→", "alike processes one by one", "Instance"),
    Key("space", "toggle_fold", "space", "alike processes in one line, or one by one", "Instance"),
    Key("left_square_bracket", "step(-1)", "[ ]", "previous instance", "Instance", "next", called="previous_instance"),
    Key("right_square_bracket", "step(1)", "]", "next instance", "Instance", called="next_instance"),
    Key("exclamation_mark", "next_crashed", "!", "the next crashed instance", "Instance"),
    Key("c", "charts", "c", "the next charts: what goes through the route", "Instance", "charts"),
    Key("v", "environment", "v", "the environment; again: with its secrets", "Instance", "env"),
    Key("y", "copy", "y", "copy the selected process's command line", "Instance", "copy"),
    Key("Y", "copy_pid", "Y", "copy the selected process's pid", "Instance"),
    *_scaling(),
    *_processes(),
    _ATTACH,
    _INSPECT,
    *_unhinted(_EDIT, _BROWSE),
    _TO_MAIN,
    _TO_SCALING,
    _TO_GRID,
    Key("escape", "back", "esc", "back out one level", "Dashboard", "back"),
    *_dashboard(),
    _INTERRUPT,
)

QUITTING: tuple[Key, ...] = (
    Key("ctrl+c", "kill_now", "ctrl+c", "KILL now", "Quitting", called="interrupt"),
    Key("q", "kill_now", "q", "KILL now", "Quitting", called="quit"),
    Key("X", "kill_now", "X", "KILL now", "Quitting", called="kill"),
)

HELP: tuple[Key, ...] = (
    *_scrolling("Help"),
    Key("escape", "dismiss", "esc", "close", "Help", called="back"),
    Key("question_mark", "dismiss", "?", "close", "Help", called="help"),
    Key("q", "dismiss", "q", "close", "Help", called="quit"),
    Key("ctrl+c", "dismiss", "ctrl+c", "close", "Help", called="interrupt"),
)

VIEWS: dict[str, tuple[Key, ...]] = {
    "main": MAIN,
    "grid": GRID,
    "scaling": SCALING,
    "instance": INSTANCE,
    "crash": INSPECTOR,
    "themes": THEMES,
    "quitting": QUITTING,
    "help": HELP,
}
"""All tables, by what their view is called."""
