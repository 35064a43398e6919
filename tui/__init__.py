"""The dashboard: shows a formation live and passes on what a person asks. Talks to the engine only through core's
client API."""

import os

# Textual paints at the ticks of a clock, and after a pause sometimes only at the next but one: at its usual sixty ticks
# a second a key pressed just after a repaint is answered 33 ms later. More ticks cost nothing while nothing changes;
# how often what the engine tells is painted, `app.FRAME` decides. Read when Textual is imported, which is after this.
os.environ.setdefault("TEXTUAL_FPS", "240")
