"""What one web page over runs is told when it is started."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["HOST", "Settings"]

HOST = "127.0.0.1"


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the page shows, and who may see it.

    Parameters
    ----------
    runs_dir : Path
        Folder of the runs.
    port : int
        Of 127.0.0.1, where the page is served.
    allow_run : bool
        Whether runs may be started, stopped and resumed; otherwise nothing is ever changed.
    scenarios_dir : Path, optional
        Folder of further scenarios beside the shipped ones.
    token : str
        In the address that is printed; exchanged for the cookie.
    session : str
        Value of the cookie.
    form_token : str
        In every form, so that no other page can send one.
    """

    runs_dir: Path
    port: int
    allow_run: bool = False
    scenarios_dir: Path | None = None
    token: str = field(default_factory=_secret, repr=False)
    session: str = field(default_factory=_secret, repr=False)
    form_token: str = field(default_factory=_secret, repr=False)

    @property
    def cookie(self) -> str:
        """Name of the cookie; browsers keep one jar for all ports of a host."""
        return f"gridtwin_{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a browser calls this server."""
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    @property
    def address(self) -> str:
        """The address that lets in."""
        return f"http://{HOST}:{self.port}/?token={self.token}"
