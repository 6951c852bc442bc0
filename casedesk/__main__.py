"""Start the case desk: ``python -m casedesk``. Migrates its database, then listens on ``PLAINSPOKEN_CASEDESK_PORT``."""

from __future__ import annotations

import os
import sys

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from casedesk.accounts import first_admin, write_private
from casedesk.db import Database
from casedesk.desk import open_desk
from casedesk.server import make_app
from knowledge.loader import KnowledgeError
from runtime.logs import configure
from runtime.settings import secret, settings


def main() -> None:
    configure()
    os.umask(0o077)  # database and its log are for this user alone
    config = settings()
    try:
        desk = open_desk()
    except KnowledgeError as error:
        raise SystemExit(str(error)) from None
    database = Database(config.casedesk_database_url)
    try:
        database.migrate()
    except SQLAlchemyError as error:
        where = database.engine.url.render_as_string(hide_password=True)
        raise SystemExit(f"The desk's database cannot be used: {type(error).__name__} at {where}") from None
    token = secret("casedesk-api")
    if not config.production:
        write_private(config.var / "casedesk.token", token)
        if first_admin(database, desk, config.var / "casedesk.password"):
            print(f"Made the account 'admin'; its password is in {config.var / 'casedesk.password'}", file=sys.stderr)
    app = make_app(config=config, database=database, desk=desk, api_token=token)
    web.run_app(app, host=config.casedesk_host, port=config.casedesk_port, access_log=None, print=None)
    database.close()


if __name__ == "__main__":
    main()
