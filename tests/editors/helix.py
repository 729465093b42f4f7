"""Helix, with our fragment of `languages.toml`."""

import re

from session import EDITORS, REPAIRS, Editor


class Helix(Editor):
    MISSING = "✘ aiolint: 'aiolint' not found in $PATH"
    UNDO, REDO = ["u"], ["U"]

    def __init__(self, program, version):
        super().__init__(program, version)
        # The newest asks for the findings of the file that is edited only, and says in a field of its own that it could be told.
        self.sees_other_files = version == "25.01"

    def set_up(self, home):
        config = home / ".config/helix"
        config.mkdir(parents=True)
        fragment = (EDITORS / "helix/languages.toml").read_text()
        # Those that are not installed are taken out, as the page says.
        (config / "languages.toml").write_text(fragment.replace('"pyright", "ruff", ', ""))
        page = (EDITORS / "helix/README.md").read_text()
        (config / "config.toml").write_text(page.split("```toml\n")[1].split("```")[0])

    def command_if_missing(self, file):
        """Helix says nothing itself; its health check does."""
        return f"'{self.program}' --health python"

    def normal(self):
        self.terminal.press("Escape")
        self.terminal.wait("normal mode", lambda screen: " NOR " in screen)

    def ex(self, command):
        self.terminal.type(":" + command)
        self.terminal.press("Enter")

    def go_to(self, text):
        self.terminal.type("gg/" + re.escape(text).replace("\\ ", " "))
        self.terminal.press("Enter")
        # The cursor, which is at the end of what was found, to its start.
        self.terminal.press("M-\\;")
        self.terminal.type(";")

    def insert_above(self, text):
        self.terminal.type("O" + text)
        self.normal()

    def insert(self, text):
        self.terminal.type("i" + text)
        self.normal()

    def replace(self, character):
        self.terminal.type("r" + character)

    def save(self):
        self.ex("w")

    def open(self, file):
        self.ex("hsplit " + file)

    def other_window(self):
        self.terminal.press("C-w", "w")

    def open_menu(self):
        self.terminal.type(" a")

    def choose(self, title):
        """The first one is chosen already."""
        row = {text: number for number, line in enumerate(self.terminal.screen().splitlines()) for text in REPAIRS if text in line}
        self.terminal.press(*["Down"] * (row[title] - row[REPAIRS[0]]), "Enter")

    def is_at(self, screen, finding, line):
        """On its line or, where the cursor is there, below it."""
        rows = screen.splitlines()
        return any(line in row and finding in row + below for row, below in zip(rows, rows[1:]))

    def restart_dead(self):
        self.ex("lsp-restart")

    def restart(self):
        if not self.sees_other_files:
            # It would go on showing what the old server found.
            self.ex("lsp-stop")
            self.terminal.wait("no finding", lambda screen: "is not done here" not in screen)
        self.ex("lsp-restart")
