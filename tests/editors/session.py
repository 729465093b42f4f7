"""What a user does in any editor, by the keys of that editor, and what must be seen on the screen then."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import picture
from terminal import Terminal

HERE = pathlib.Path(__file__).resolve().parent
EDITORS = HERE.parent.parent / "editors"

MISTAKE = "print(\"price:\", price.result())"
FINDING = "`price` is not done here"
ELSEWHERE = "of `load` is never awaited"
# Of the menu of repairs: each must let the program run.
REPAIRS = [
    "Await `price` before asking",
    "Wait with `asyncio.gather(price, return_exceptions=True)`",
    "Wait with `asyncio.wait([price])`",
]

LIB = "def load():\n    return 42\n"
APP = """\
import asyncio

import lib


async def main():
    lib.load()
    print("loaded")


asyncio.run(main())
"""


def say(what):
    print("ok", what, flush=True)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


class Editor:
    """How an editor is installed, started and used. Every method leaves it in the mode in which it opens a file."""

    #: The size of the terminal.
    LINES = 28
    #: What says that the program is missing.
    MISSING: str
    #: The keys that the file's last edit is undone and done again with.
    UNDO: list[str]
    REDO: list[str]
    #: Whether an edit in one file brings the findings of the other open ones on the screen up to date. Else it takes an edit there.
    sees_other_files = True

    def __init__(self, program, version):
        self.program, self.version = pathlib.Path(program).absolute(), version
        self.terminal = None

    def set_up(self, home):
        """Follows the steps of the editor's page, in a home folder that is empty."""
        raise NotImplementedError

    def command(self, file):
        return f"'{self.program}' {file}"

    def opened(self):
        """What a user does to see the findings, once a file is open."""

    def command_if_missing(self, file):
        """What tells that the program of the server is missing."""
        return self.command(file)

    def ask_what_is_missing(self):
        """What a user does who sees nothing."""

    def go_to(self, text):
        """The cursor on this text."""
        raise NotImplementedError

    def insert_above(self, text):
        """A new line with this text above the cursor's, indented as that is."""
        raise NotImplementedError

    def insert(self, text):
        """Text before the cursor."""
        raise NotImplementedError

    def replace(self, character):
        """Another character in the place of that under the cursor, seen at once: its last key is what is timed."""
        raise NotImplementedError

    def save(self):
        raise NotImplementedError

    def open(self, file):
        """Another file, in a window of its own."""
        raise NotImplementedError

    def other_window(self):
        raise NotImplementedError

    def open_menu(self):
        """The menu of what can be repaired at the cursor."""
        raise NotImplementedError

    def choose(self, title):
        raise NotImplementedError

    def notice_death(self):
        """Until the user sees that the server has died."""
        self.terminal.wait("the findings of the dead server are gone", lambda screen: not self.shows(screen, FINDING))

    def restart_dead(self):
        """What a user does when the server has died."""
        raise NotImplementedError

    def restart(self):
        """What a user does to have the server started anew."""
        raise NotImplementedError

    def more(self, session):
        """What is checked in this editor only, at the end."""

    def shows(self, screen, finding):
        return finding in screen

    def is_at(self, screen, finding, line):
        """Whether the finding is shown on the line with this text."""
        return any(line in row and finding in row for row in screen.splitlines())

    def undo(self):
        self.terminal.press(*self.UNDO)

    def redo(self):
        self.terminal.press(*self.REDO)


class Session:
    def __init__(self, editor, tmux, aiolint, pictures):
        self.editor, self.tmux, self.aiolint, self.pictures = editor, tmux, aiolint, pictures
        self.times = []

    def run(self):
        for part in [self.edits, self.repairs, self.other_file, self.server_dies, self.server_is_missing]:
            part()
        print("from the last key to the screen: " + ", ".join(f"{what} {1000 * s:.0f} ms" for what, s in self.times))

    # The parts

    def edits(self):
        with self.opened("prices.py") as terminal:
            editor = self.editor
            terminal.wait("the mistake is seen", self.at(MISTAKE))
            say("the mistake is seen where it is")
            self.draw("finding")

            editor.go_to("import asyncio")
            editor.insert_above("# Prices of a shop 🛒, in €.")
            terminal.wait("the finding moves with its line", self.at(MISTAKE))
            say("the finding is there after an edit above it")

            editor.go_to(MISTAKE[:7])
            editor.insert_above("await price")
            terminal.wait("the wait is typed: no finding", self.gone)
            say("the finding goes when the wait is typed")
            editor.undo()
            terminal.wait("undo: the finding", self.at(MISTAKE))
            editor.redo()
            terminal.wait("redo: no finding", self.gone)
            say("undo brings the finding back, redo takes it away")

            editor.go_to("await price")
            for character, what, condition in [("#", "the finding", self.seen), ("a", "no finding", self.gone)]:
                editor.replace(character)
                self.times.append((what, terminal.wait(f"{character} is typed: {what}", condition)))
            say("the finding comes and goes with a character")
            editor.undo()
            editor.more(self)

    def repairs(self):
        with self.opened("prices.py") as terminal:
            editor = self.editor
            terminal.wait("the mistake is seen", self.at(MISTAKE))
            for repair in REPAIRS:
                editor.go_to("result()")
                editor.open_menu()
                terminal.wait("the menu of repairs", lambda screen: all(title in screen for title in REPAIRS))
                if repair == REPAIRS[0]:
                    self.draw("menu")
                editor.choose(repair)
                terminal.wait(f"{repair}: no finding", self.gone)
                before = self.read("prices.py")
                editor.save()
                self.wait_for_file("prices.py", lambda text: text != before)
                self.must_run("prices.py", "price: 42")
                say(f"“{repair}”: the saved program runs, and nothing more is found")
                editor.undo()
                terminal.wait("one undo takes the repair back", self.at(MISTAKE))
                editor.save()
                self.wait_for_file("prices.py", lambda text: text == before)

    def other_file(self):
        with self.opened("app.py") as terminal:
            editor = self.editor
            terminal.wait("app.py", lambda screen: "asyncio.run(main())" in screen)
            editor.open("lib.py")
            terminal.wait("lib.py", lambda screen: "return 42" in screen and "asyncio.run(main())" in screen)
            editor.go_to("def load")
            editor.insert("async ")
            seconds = self.wait_elsewhere("the finding in the other file", self.seen_elsewhere)
            editor.undo()
            self.wait_elsewhere("undo: no finding", lambda screen: not self.seen_elsewhere(screen))
            if editor.sees_other_files:
                self.times.append(("in another file", seconds))
            say("a change in one file is seen in another" + ("" if editor.sees_other_files else " at the next edit there"))

    def server_dies(self):
        with self.opened("prices.py") as terminal:
            editor = self.editor
            terminal.wait("the mistake is seen", self.at(MISTAKE))
            for dead, restart in [(True, editor.restart_dead), (False, editor.restart)]:
                first = self.server()
                if dead:
                    os.kill(first, signal.SIGKILL)
                    editor.notice_death()
                restart()
                terminal.wait("the server runs again", lambda _: self.server() not in (first, None))
                terminal.wait("the old server is gone", lambda _: not is_running(first))
                terminal.wait("the mistake is seen", self.at(MISTAKE))
                editor.go_to(MISTAKE[:7])
                editor.insert_above("await price")
                terminal.wait("the wait is typed: no finding", self.gone)
                editor.undo()
                terminal.wait("undo: the finding", self.at(MISTAKE))
            say("a server that was killed is started again, and one that runs is restarted")

    def server_is_missing(self):
        with self.opened("prices.py", missing=True) as terminal:
            self.editor.ask_what_is_missing()
            terminal.wait("the program is missing", lambda screen: self.editor.MISSING in " ".join(screen.split()))
        say(f"where the program is missing the screen says: {self.editor.MISSING}")

    # What they are made of

    def wait_elsewhere(self, what, condition):
        """As `wait`, in the other window, if it must be so."""
        editor = self.editor
        if editor.sees_other_files:
            return self.terminal.wait(what, condition)
        editor.other_window()
        editor.insert_above("#")
        self.terminal.wait(what, condition)
        editor.other_window()

    def seen(self, screen):
        return self.editor.shows(screen, FINDING)

    def gone(self, screen):
        return not self.seen(screen)

    def seen_elsewhere(self, screen):
        return self.editor.shows(screen, ELSEWHERE)

    def at(self, line):
        return lambda screen: self.editor.is_at(screen, FINDING, line)

    @contextlib.contextmanager
    def opened(self, file, *, missing=False):
        """The editor with a file of a new project, in a new home folder."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            self.home = pathlib.Path(scratch, "home")
            self.project = self.home / "shop"
            self.project.mkdir(parents=True)
            for name, text in {"pyproject.toml": "", "lib.py": LIB, "app.py": APP}.items():
                (self.project / name).write_text(text)
            shutil.copy(HERE / "prices.py", self.project)
            (self.project / ".git").mkdir()
            environment = {"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/local/bin:/usr/bin:/bin"}
            if not missing:
                self.put_on_path()
            self.editor.set_up(self.home)
            command = (self.editor.command_if_missing if missing else self.editor.command)(file)
            with Terminal(self.tmux, command, folder=self.project, environment=environment, scratch=scratch, columns=110, lines=self.editor.LINES) as terminal:
                self.terminal = self.editor.terminal = terminal
                if not missing:
                    self.editor.opened()
                yield terminal

    def put_on_path(self):
        """`aiolint`, which leaves the number of the server's process in a file."""
        program = self.home / "bin" / "aiolint"
        program.parent.mkdir()
        note = f'[ "$1" = server ] && echo $$ > "{self.home}/server"'
        program.write_text(f"#!/bin/sh\n{note}\nexec '{self.aiolint}' \"$@\"\n")
        program.chmod(0o755)

    def server(self):
        """The process of the server that was started last."""
        text = (self.home / "server").read_text().strip()
        return int(text) if text else None

    def read(self, name):
        try:
            return (self.project / name).read_text()
        except FileNotFoundError:
            return ""  # just being replaced

    def wait_for_file(self, name, condition):
        """Until a file of the project holds what it should, to its end."""
        whole = lambda text: text.endswith("asyncio.run(main())\n") and condition(text)
        self.terminal.wait(f"{name} is written", lambda _: whole(self.read(name)))

    def must_run(self, name, printed):
        """What is on disk runs under CPython, and nothing is found in it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        for command in [[sys.executable, "-X", "dev", name], [self.aiolint, "check", name]]:
            done = subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True)
            said = done.stdout + done.stderr
            if done.returncode or (command[0] == sys.executable and said.strip() != printed):
                raise AssertionError(f"{command} says\n{said}\nof\n{self.read(name)}")

    def draw(self, name):
        if self.pictures:
            pathlib.Path(self.pictures, name + ".svg").write_text(picture.draw(self.terminal.coloured()))
