"""What every process shares: settings, secrets and logging. Standard library only, Python 3.10 or later."""
