"""Every key of the dashboard, in one table: what it does, in which words, and on which screen. Help and footer are
made from it."""

from dataclasses import dataclass

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

    def binding(self) -> Binding:
        """For Textual."""
        # A priority binding acts before the next key is handed to the widget that has the focus now. All are such, or
        # one that moves the focus would overtake those that were typed before it.
        return Binding(self.keys, self.action, self.help, show=False, key_display=self.shown, priority=True)


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
    Key("tab", "swap_pane", "tab", "go to the log and back", "Move"),
    Key("plus,equals_sign", "scale_by(1)", "+ =", "one more of this type", "Scale", "scale"),
    Key("minus,underscore", "scale_by(-1)", "- _", "one fewer: the highest number goes", "Scale", "scale"),
    Key("s", "scale", "s", "scale to a count, or: web=5 worker+1", "Scale", "scale to"),
    Key("r", "restart", "r", "restart; start what is down; retry now", "Processes", "restart"),
    Key("R", "restart_crashed", "R", "restart all that crashed", "Processes", "restart crashed"),
    Key("x", "stop", "x", "stop: the stop signal, later KILL", "Processes", "stop"),
    Key("X", "kill", "X", "KILL now", "Processes", "kill"),
    Key("h", "hold", "h", "hold: no more tries; again: let go", "Processes", "hold"),
    Key("u", "apply", "u", "apply changes of Procfile, .env, settings", "Processes"),
    Key("a", "attach", "a", "attach the terminal to it; ctrl+] leaves", "Processes", "attach"),
    Key("i", "inspect", "i", "inspect the crash: why, where, since when", "Processes", "inspect"),
    Key("enter", "open", "enter", "inspect a crashed one; else go to its log", "Processes", ""),
    Key("exclamation_mark", "next_crashed", "!", "jump to the next crashed instance", "Processes", "next crashed"),
    Key("slash", "find", "/", "find in the log: a regular expression", "Log", "find"),
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
    Key("escape", "back", "esc", "back out one level", "Dashboard"),
    Key("question_mark", "app.help", "?", "this help", "Dashboard", "help"),
    Key("d", "app.detach", "d", "leave it running, and go", "Dashboard", "detach"),
    Key("q", "app.quit_formation", "q", "stop all and quit; again: KILL now", "Dashboard", "quit"),
    Key("ctrl+c", "copy_or_quit", "ctrl+c", "copy what is selected; else quit", "Dashboard"),
)

INSPECTOR: tuple[Key, ...] = (
    Key("j,down", "scroll(1)", "j ↓", "down", "Crash inspector"),
    Key("k,up", "scroll(-1)", "k ↑", "up", "Crash inspector"),
    Key("g,home", "scroll_first", "g home", "to the top", "Crash inspector"),
    Key("G,end", "scroll_last", "G end", "to the end", "Crash inspector"),
    Key("ctrl+d,pagedown", "scroll_page(1)", "ctrl+d", "half a page down", "Crash inspector"),
    Key("ctrl+u,pageup", "scroll_page(-1)", "ctrl+u", "half a page up", "Crash inspector"),
    Key("left_square_bracket", "walk(-1)", "[ ]", "the crash before", "Crash inspector", "walk runs"),
    Key("right_square_bracket", "walk(1)", "]", "the next crash", "Crash inspector"),
    Key("d", "difference", "d", "what differs from another crash", "Crash inspector", "differs"),
    Key("e", "edit", "e", "open the editor at the place of the crash", "Crash inspector", "edit"),
    Key("v", "environment", "v", "the environment; again: with its secrets", "Crash inspector", "env"),
    Key("y", "copy", "y", "copy the report as Markdown", "Crash inspector", "copy"),
    Key("r", "restart", "r", "try again now", "Crash inspector", "retry now"),
    Key("h", "hold", "h", "hold: no more tries; again: let go", "Crash inspector", "hold"),
    Key("escape,i", "back", "esc i", "back out one level", "Crash inspector", "back"),
    Key("question_mark", "app.help", "?", "this help", "Crash inspector", "help"),
    Key("q,ctrl+c", "app.quit_formation", "q ctrl+c", "stop all and quit; again: KILL now", "Crash inspector"),
)

QUITTING: tuple[Key, ...] = (Key("q,ctrl+c,X", "kill_now", "ctrl+c", "KILL now", "Quitting"),)
