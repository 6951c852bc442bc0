"""Keys of the application's shared parts, and the small things every handler uses."""

from __future__ import annotations

from aiohttp import web

from casedesk.accounts import Staff
from casedesk.db import Database
from casedesk.desk import Desk
from runtime.settings import Settings

DATABASE = web.AppKey("database", Database)
DESK = web.AppKey("desk", Desk)
SETTINGS = web.AppKey("settings", Settings)
API_TOKEN = web.AppKey("api_token", str)
STAFF = web.RequestKey("staff", Staff)
