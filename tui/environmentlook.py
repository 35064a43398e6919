"""The environment of a run, as views show it: not at all, without its secrets, then with them."""

from collections.abc import Mapping

from procdeck.core.client import Client
from procdeck.core.masking import masked_environment
from procdeck.core.messages import EnvironmentView


class EnvironmentLook:
    """What is to be seen of an instance's environment. Methods that wait raise ProcdeckError when the engine refuses or
    is gone."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._view: EnvironmentView | None = None
        self.revealed = False
        """Secrets are to be seen."""

    @property
    def shown(self) -> bool:
        """It is to be seen, in whichever way."""
        return self._view is not None

    @property
    def values(self) -> Mapping[str, str] | None:
        """As it is to be seen; None: not at all."""
        if self._view is None:
            return None
        return self._view.values if self.revealed else masked_environment(self._view.values)

    async def turn(self, name: str) -> None:
        """Shows an instance's environment in the next way."""
        if self._view is None:
            self._view = await self._client.environment_of(name)
        elif not self.revealed:
            self.revealed = True
        else:
            self.hide()

    def is_of_another_run(self, run: int) -> bool:
        """What is shown was another run's."""
        return self._view is not None and self._view.run != run

    async def renew(self) -> None:
        """Shows that of the latest run, if any is shown still when it has come."""
        if self._view is not None:
            found = await self._client.environment_of(self._view.name)
            if self._view is not None:
                self._view = found

    def hide(self) -> None:
        """Shows it no more."""
        self._view, self.revealed = None, False
