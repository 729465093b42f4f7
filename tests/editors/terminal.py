"""A terminal with a program in it, as a user has one: keys go in, a screen comes out."""

import os
import pathlib
import select
import subprocess
import time

PATIENCE = 30.0  # seconds; reached only by a failing test


class Terminal:
    """A program in a tmux of its own, which is gone when the `with` is left."""

    def __init__(self, tmux, command, *, folder, environment, scratch, columns, lines):
        settings = pathlib.Path(scratch, "tmux.conf")
        settings.write_text("set-option -s escape-time 0\nset-option -g remain-on-exit on\n")
        self.tmux = [tmux, "-S", str(pathlib.Path(scratch, "tmux")), "-f", str(settings)]
        self.environment = dict(environment, TERM="screen-256color", COLORTERM="truecolor", LANG="C.UTF-8")
        # Opened for writing, too, so that it never comes to an end.
        fifo = pathlib.Path(scratch, "output")
        os.mkfifo(fifo)
        self.output = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        size = ["-x", str(columns), "-y", str(lines)]
        self._tmux("new-session", "-d", *size, "-c", str(folder), "exec " + command)
        self._tmux("pipe-pane", "-O", f"exec cat > '{fifo}'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], env=self.environment, capture_output=True)
        os.close(self.output)

    def _tmux(self, *arguments):
        done = subprocess.run([*self.tmux, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout

    def screen(self):
        return self._tmux("capture-pane", "-p")

    def coloured(self):
        """The screen with the escapes of its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def press(self, *keys):
        """Keys by tmux's names: `Enter`, `C-w`."""
        self._tmux("send-keys", *keys)

    def type(self, text):
        """One key after the other: a text at once would be a paste."""
        for character in text:
            # To tmux itself a semicolon is the end of a command.
            self._tmux("send-keys", "-l", "\\;" if character == ";" else character)

    def wait(self, what, condition):
        """Until the condition holds for the screen; the seconds that it took."""
        started = time.monotonic()
        while not condition(screen := self.screen()):
            left = started + PATIENCE - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{what}: never; the screen is\n{screen}")
            # Until the program writes to the screen. What it does elsewhere is seen at the next look.
            if select.select([self.output], [], [], min(left, 0.25))[0]:
                os.read(self.output, 1 << 20)
        return time.monotonic() - started
