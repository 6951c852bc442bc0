"""Databases and secrets of their own for every test, the same as those of the delivery's tests."""

from tests.delivery.conftest import data, database_url, var, vault

__all__ = ["data", "database_url", "var", "vault"]
