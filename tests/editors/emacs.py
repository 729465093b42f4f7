"""Emacs with Eglot."""

import re

from session import EDITORS, Editor


class Emacs(Editor):
    LINES = 60  # three windows
    MISSING = '"Searching for program" "No such file or directory"'
    UNDO = ["C-_"]

    def set_up(self, home):
        # What `M-x package-install RET eglot` does.
        packages = home / ".emacs.d/elpa"
        packages.mkdir(parents=True)
        installed = self.program.parent / "root/usr/share/emacs/site-lisp/elpa-src"
        for package in installed.iterdir():
            (packages / package.name).symlink_to(package)
        page = (EDITORS / "emacs/README.md").read_text()
        (home / ".emacs.d/init.el").write_text(page.split("```elisp\n")[1].split("```")[0])

    def command(self, file):
        return f"'{self.program}' --no-splash {file}"

    def opened(self):
        # Until then Emacs drops keys.
        self.terminal.wait("Eglot", lambda screen: "[eglot:shop]" in screen)
        self.mx("flymake-show-buffer-diagnostics")
        last = lambda screen: screen.rstrip("\n").splitlines()[-1]
        self.terminal.wait("the list", lambda screen: "*Flymake diagnostics" in screen and "M-x" not in last(screen))

    def mx(self, command):
        self.terminal.press("M-x")
        self.terminal.wait("M-x", lambda screen: screen.rstrip("\n").splitlines()[-1].startswith("M-x"))
        self.terminal.type(command)
        self.terminal.press("Enter")

    def go_to(self, text):
        self.terminal.press("M-<", "C-s")
        self.terminal.type(text)
        # Back to where the text begins.
        self.terminal.press("C-r", "Enter")

    def insert_above(self, text):
        self.terminal.press("C-a", "C-o", "Tab")
        self.terminal.type(text)

    def insert(self, text):
        self.terminal.type(text)

    def replace(self, character):
        self.terminal.press("C-d")
        self.terminal.type(character)
        self.terminal.press("C-b")

    def redo(self):
        self.mx("undo-redo")

    def save(self):
        self.terminal.press("C-x", "C-s")

    def open(self, file):
        self.mx("split-window-below")
        self.mx("find-file")
        self.terminal.wait("the question", lambda screen: "Find file:" in screen)
        self.terminal.type(file)
        self.terminal.press("Enter")

    def open_menu(self):
        self.mx("eglot-code-actions")
        self.terminal.wait("the question", lambda screen: "[eglot]" in screen.splitlines()[-1])
        self.terminal.press("Tab", "Tab")

    def choose(self, title):
        self.terminal.press("M-v", "C-s")
        self.terminal.type(title)
        self.terminal.press("Enter", "Enter")

    def shows(self, screen, finding):
        return any(finding in row for row in self.list_of_findings(screen))

    def is_at(self, screen, finding, line):
        rows = screen.splitlines()
        return any(re.match(rf" *{number} ", row) and finding in row
                   for number, text in enumerate(rows, 0) if line in text for row in self.list_of_findings(screen))

    def list_of_findings(self, screen):
        """The rows of Flymake's list; the echo area may show a finding that is gone."""
        return [row for row in screen.splitlines() if re.match(r" +\d+ +\d+ ", row)]

    def notice_death(self):
        """Eglot starts it again at once."""

    def restart_dead(self):
        """Nothing."""

    def restart(self):
        self.mx("eglot-reconnect")
