"""Who is it that runs a command at the terminal?"""

import getpass


def at_the_terminal() -> str:
    """The name of the system's account, marked as such, for the audit record: it is no account of the console."""
    try:
        return f"{getpass.getuser()}@terminal"
    except (KeyError, OSError):  # a container may run under a number without a name
        return "somebody@terminal"
