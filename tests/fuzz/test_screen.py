"""Whatever is pressed, clicked and resized, and whatever dies meanwhile: no exception, no frozen screen, no selection
that jumps to another instance, no count other than what the keys asked for.

For longer: `make fuzz`. The seed of a run that failed is in its message: `FUZZ_SEED=…` repeats it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.deck import dashboard

from .monkey import SECONDS, SEED, Monkey, formation


@pytest.mark.timeout(SECONDS + 60)
# Of Textual: a view that is closed while it is told of a selection leaves that untold.
@pytest.mark.filterwarnings("ignore:.*Screen._watch_selections:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine 'Screen._watch_selections' was never awaited:RuntimeWarning")
async def test_the_dashboard_stands_whatever_is_done_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # `S` writes a file there
    monkeypatch.setenv("BROWSER", "true")
    steps = 0
    async with dashboard(formation(), size=(120, 36), frame=0.02) as deck:
        monkey = Monkey(deck, SEED)
        try:
            for _ in monkey.steps(SECONDS):
                await monkey.step()
                steps += 1
        except BaseException as error:
            error.add_note(f"FUZZ_SEED={SEED}, step {steps}; done last: {' '.join(monkey.done[-30:])}")
            raise
    assert steps > 10
