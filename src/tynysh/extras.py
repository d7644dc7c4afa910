"""What is installed only where it is asked for: `pip install 'tynysh[postgres]'`."""

from importlib.util import find_spec

from tynysh.errors import UsageError


def need(module: str, extra: str, what: str) -> None:
    """Raise UsageError, which says how to install it, unless `module` is there. what: which it is for."""
    if find_spec(module) is None:
        raise UsageError(
            f"{what} needs the package {module}, which is not installed.",
            hint=f"pip install 'tynysh[{extra}]'",
        )
