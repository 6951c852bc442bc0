"""Rasa's server for this project: ``python -m bot.server``. Loopback only, telemetry off, no patient's word in the log.

``rasa run`` would serve the same model; what is set here cannot be set on its command line.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import unquote, urlsplit

# Before anything imports numpy or TensorFlow: with a thread for every core in every process they only get in each
# other's way, and a message takes one thread two milliseconds.
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
# How long a conversation stays locked when the replica that was in its turn died. Rasa's own minute outlasts the
# gateway's patience; a turn is at most two calls of actions.
os.environ.setdefault("TICKET_LOCK_LIFETIME", "20")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")

from bot.without_tensorflow import needs_tensorflow, without_tensorflow  # noqa: E402
from runtime.channels import CHANNELS, configured_channels, missing, touched  # noqa: E402
from runtime.settings import ROOT, Settings, secret, settings  # noqa: E402

ACTION_SECONDS = 8
"""How long Rasa waits for the action server. Its own 5 minutes outlast both the patient and the conversation's lock."""


def fill_environment(config: Settings) -> None:
    """Set what the ``${...}`` of endpoints.yml and credentials.yml name."""
    config.var.mkdir(parents=True, exist_ok=True)
    os.environ["PLAINSPOKEN_ACTIONS_URL"] = config.actions_url
    os.environ["PLAINSPOKEN_TRACKER_DATABASE_URL"] = config.tracker_database_url
    os.environ["PLAINSPOKEN_SECRET_WEB"] = secret("web")


def lock_store(redis_url: str) -> Dict[str, Any]:
    """The endpoint settings of a lock store shared by several replicas, from ``redis://[user:password@]host:port/db``."""
    url = urlsplit(redis_url)
    return {
        "type": "redis",
        "url": url.hostname or "127.0.0.1",
        "port": url.port or 6379,
        "db": int(url.path.strip("/") or 1),
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "use_ssl": url.scheme == "rediss",
        "key_prefix": "plainspoken",
    }


def event_broker(rabbitmq_url: str) -> Dict[str, Any]:
    """The endpoint settings of a RabbitMQ broker, from ``amqp://user:password@host:port/``."""
    url = urlsplit(rabbitmq_url)
    return {
        "type": "pika",
        "url": url.hostname or "127.0.0.1",
        "port": url.port or 5672,
        "username": unquote(url.username or "guest"),
        "password": unquote(url.password or "guest"),
        "queues": ["plainspoken_events"],
    }


def add_messaging_channels() -> None:
    """Have Rasa take on the channels that are set up, as if they stood in credentials.yml, which no key ever enters."""
    import rasa.core.run

    stock = rasa.core.run.create_http_input_channels

    def with_messaging(channel: Any, credentials_file: Any) -> List[Any]:
        more = configured_channels(os.environ).items()
        return [*stock(channel, credentials_file), *(rasa.core.run._create_single_channel(*one) for one in more)]

    rasa.core.run.create_http_input_channels = with_messaging
    for name, channel in CHANNELS.items():
        if touched(channel, os.environ) and (lacking := missing(channel, os.environ)):
            logging.getLogger(__name__).error(
                "channel is off: set the missing variable", extra={"channel": name, "reason": ", ".join(lacking)}
            )


def go_on_once_loaded(endpoint: Any, waiting: Any) -> None:
    """Have Rasa, once it has loaded its model, send the danger signs that wait since before it was started.

    From then on memory is looked through for what can be freed, but for what is there by then: it is there to stay, and a
    look at all of it would hold up every conversation.
    """
    import rasa.core.run

    from bot.stubborn import resume

    stock = rasa.core.run.load_agent_on_start

    async def load_and_resume(*arguments: Any, **named: Any) -> Any:
        agent = await stock(*arguments, **named)
        gc.collect()
        gc.freeze()
        gc.enable()
        await resume(endpoint, waiting)
        return agent

    rasa.core.run.load_agent_on_start = load_and_resume


def main() -> None:
    gc.disable()  # nearly all that is made while starting stays: looking through it again and again takes seconds
    config = settings()
    fill_environment(config)
    sys.path.insert(0, str(ROOT))

    model = Path(os.environ.get("PLAINSPOKEN_MODEL", str(ROOT / "models")))
    if not model.exists():  # Rasa would start all the same, and answer nobody
        raise SystemExit(f"There is no model at {model}: run `make train`.")
    with contextlib.nullcontext() if needs_tensorflow(model) else without_tensorflow():
        import rasa.core.actions.action
        import rasa.engine.recipes.default_components
        from rasa.core.run import serve_application

    from rasa.core.utils import AvailableEndpoints
    from rasa.utils.endpoints import EndpointConfig

    from bot.logs import keep_words_out
    from bot.quicker import KeptConnection, make_quicker
    from bot.stubborn import make_stubborn
    from bot.tracker_store import open_engine
    from bot.unrecorded import Unrecorded
    from runtime.vault import open_vault

    make_quicker()
    waiting = Unrecorded(open_engine(config.tracker_database_url), open_vault())
    make_stubborn(waiting)
    keep_words_out(logging.INFO)
    add_messaging_channels()
    rasa.core.actions.action.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
    endpoints = AvailableEndpoints.read_endpoints(str(ROOT / "endpoints.yml"))
    endpoints.action = KeptConnection(endpoints.action.url, **endpoints.action.kwargs)
    go_on_once_loaded(endpoints.action, waiting)
    if config.redis_url:
        endpoints.lock_store = EndpointConfig.from_dict(lock_store(config.redis_url))
    if os.environ.get("PLAINSPOKEN_RABBITMQ_URL"):
        endpoints.event_broker = EndpointConfig.from_dict(event_broker(os.environ["PLAINSPOKEN_RABBITMQ_URL"]))
    serve_application(
        model_path=str(model),
        interface=os.environ.get("PLAINSPOKEN_RASA_HOST", "127.0.0.1"),
        port=config.rasa_port,
        credentials=str(ROOT / "credentials.yml"),
        endpoints=endpoints,
        enable_api=False,
        cors=[],
    )


if __name__ == "__main__":
    main()
