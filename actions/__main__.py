"""The action server: ``python -m actions``. Listens on 127.0.0.1 unless told otherwise; Rasa is its one caller."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Iterator
from typing import Any

from rasa_sdk import Action, endpoint
from rasa_sdk.executor import ActionExecutor

import actions
from actions.watch import watched
from runtime.logs import configure
from runtime.settings import settings


def all_actions() -> Iterator[type[Action]]:
    """Every custom action: the concrete classes of ``action_*.py`` and ``validate_*.py``, one file each.

    rasa-sdk's own search would import every module of the package, the delivery worker and migrations included.
    """
    for module_info in pkgutil.iter_modules(actions.__path__, "actions."):
        if not module_info.name.removeprefix("actions.").startswith(("action_", "validate_")):
            continue
        module = importlib.import_module(module_info.name)
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and issubclass(found, Action) and not inspect.isabstract(found):
                yield found


class Executor(ActionExecutor):
    """Runs actions without the domain, which Rasa does not send (endpoints.yml); rasa-sdk would refuse the call."""

    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
        return {}


def main() -> None:
    configure()
    # rasa-sdk 3.21 warns on every call that Rasa is 3.6. The end-to-end tests are what shows that the pair works.
    endpoint.utils.check_version_compatibility = lambda version: None
    executor = Executor()
    for action in all_actions():
        executor.register_action(action)
    app = endpoint.create_app(executor, cors_origins=[])
    watched(app)
    app.config.KEEP_ALIVE_TIMEOUT = 120  # Rasa reuses its connection between turns
    host = os.environ.get("PLAINSPOKEN_ACTIONS_HOST", "127.0.0.1")
    app.run(host=host, port=settings().actions_port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
