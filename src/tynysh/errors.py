"""What a user is told when something cannot be done: what, where, and what to do."""


class TynyshError(Exception):
    """An error that a person can act on. The command line prints it without a traceback.

    `message` says what is wrong and where; `hint` what to do about it; `exit_code` is the command's status.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TynyshError):
    """The command was asked for something that does not exist or cannot be combined."""

    exit_code = 2


class SiteError(TynyshError):
    """A site description is wrong; every fault is listed as file:line:column."""

    exit_code = 3


class MediaError(TynyshError):
    """A video cannot be opened, read, decoded or written."""

    exit_code = 4


class ModelError(TynyshError):
    """A model is missing, cannot be fetched, or is not what the manifest says."""

    exit_code = 5


class StoreError(TynyshError):
    """The database cannot be reached, is of another version, or refuses."""

    exit_code = 6


class AnalyserError(TynyshError):
    """An analyser that is installed cannot be used."""

    exit_code = 8
