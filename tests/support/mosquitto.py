"""A real mosquitto for tests: on loopback, on a free port, with its files in a folder of the test's."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.servers import free_port, port_answers, require_program, wait_until


class Mosquitto:
    """`with Mosquitto(folder) as broker:` starts one and ends it; `kill` and `start` again in between.

    The port stays the same over restarts. Without `config_lines` it is a plain anonymous listener; with
    them they take the place of the listener's default lines (`{port}` and `{folder}` are filled in), and
    one of them must open `listener {port} 127.0.0.1`. The log is in `folder/mosquitto.log`.
    """

    def __init__(
        self, folder: Path, *, config_lines: Sequence[str] | None = None, port: int | None = None
    ) -> None:
        self._program = require_program("mosquitto")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or free_port()
        self.log_path = folder / "mosquitto.log"
        lines = [*(config_lines or ("listener {port} 127.0.0.1", "allow_anonymous true"))]
        if os.geteuid() == 0:
            # Started by root, mosquitto becomes its own user, who can't read a test's folder.
            lines.insert(0, "user root")
        self._config_path = folder / "mosquitto.conf"
        folder.mkdir(parents=True, exist_ok=True)
        self._config_path.write_text(
            "\n".join(line.format(port=self.port, folder=folder) for line in lines) + "\n"
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until its port answers."""
        assert self._process is None, "already started"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._config_path)], stdout=log, stderr=log
            )
        try:
            wait_until(self._is_up, what=f"mosquitto on port {self.port} (log: {self.log_path})")
        except AssertionError:
            self.kill()
            raise

    def stop(self) -> None:
        """End it politely; does nothing when it is down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would; does nothing when it is down."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open and nothing passes, as over a half-dead 4G link."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"mosquitto ended at once: {self.log_path.read_text()[-2000:]}")
        return port_answers(self.port)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
