"""The page, served by Gradio to this machine; what Gradio would tell or ask of others is turned off."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from ganzoo_report.serving import is_loopback, listening, say_where

from ganzoo.api import need
from ganzoo_play.player import UPLOADS, Player

PORT, TRIED = 8761, 20  # the first port tried, and how many
MAX_UPLOAD = 1 << 29  # bytes, as of a file of a data set
OWN = ["localhost", "127.0.0.1", "[::1]"]  # what a page for this machine alone may be called


def serve(player: Player, host: str, port: int | None, say: Callable[[str], None]) -> None:
    """Serves the page until Ctrl-C.

    Raises: UsageError when the port is taken, none is free, or there is no such address here; GanzooError when Gradio
    is not installed.
    """
    where = listening(lambda number: _free(host, number), host, port, range(PORT, PORT + TRIED))
    blocks = start(player, host, where)
    say_where(say, player.source, host, where)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("The page is not served any more.")
    finally:
        blocks.close(verbose=False)


def start(player: Player, host: str, port: int) -> Any:
    """Gradio's server of the page, in threads of its own; `close` ends it. Raises: GanzooError when it is missing."""
    # Gradio reads these when it is imported.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")
    os.environ["GRADIO_TEMP_DIR"] = str(player.folder / UPLOADS)
    gradio = need("gradio", "gradio", "ganzoo play", "play")
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from ganzoo_play.page import CSS, page, theme

    blocks = page(gradio, player)
    # A page elsewhere whose name was made to lead here says its own name, and is refused.
    known = Middleware(TrustedHostMiddleware, allowed_hosts=OWN if is_loopback(host) else ["*"])
    blocks.queue(default_concurrency_limit=1).launch(
        server_name=host, server_port=port, theme=theme(gradio), css=CSS, footer_links=[], max_file_size=MAX_UPLOAD,
        app_kwargs={"middleware": [known]}, prevent_thread_lock=True, quiet=True, share=False, inline=False,
        inbrowser=False, ssr_mode=False, show_error=True, enable_monitoring=False, mcp_server=False,
    )  # fmt: skip
    return blocks


def _free(host: str, port: int) -> int:
    """The port, if it can be listened on; of 0 any. Raises: OSError."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
        if os.name == "posix":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((host, port))
        tried.listen()
        number: int = tried.getsockname()[1]
        return number
