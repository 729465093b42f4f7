"""Neovim, with our plugin as a package."""

import shutil

from session import EDITORS, Editor, say


class Vi(Editor):
    """What Neovim and Vim have in common."""

    UNDO, REDO = ["u"], ["C-r"]

    def normal(self):
        self.terminal.press("Escape")
        self.terminal.wait("normal mode", lambda screen: "-- INSERT --" not in screen)

    def ex(self, command):
        self.terminal.type(":" + command)
        self.terminal.press("Enter")

    def go_to(self, text):
        self.terminal.type("gg0/\\V\\c" + text.replace("/", "\\/"))
        self.terminal.press("Enter")

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
        self.ex("split " + file)

    def other_window(self):
        self.terminal.press("C-w", "w")

    def choose(self, title):
        """By the number in front of it."""
        row = next(row for row in self.terminal.screen().splitlines() if title in row)
        self.terminal.type(row.split(":")[0].strip(" │"))
        self.terminal.press("Enter")


class Neovim(Vi):
    MISSING = "aiolint: `aiolint` cannot be executed"

    def __init__(self, program, version):
        super().__init__(program, version)

        # Earlier ones ask for the findings of the file that is edited only, and cannot be told to ask again.
        self.sees_other_files = version == "newest"

    def set_up(self, home):
        package = home / ".local/share/nvim/site/pack/aiolint/start/aiolint"
        shutil.copytree(EDITORS / "neovim", package)
        config = home / ".config/nvim/init.lua"
        config.parent.mkdir(parents=True)
        start = "require('aiolint').setup()" if self.version == "0.10" else "vim.lsp.enable('aiolint')"
        # `:helptags ALL` of the page, which is otherwise a plugin manager's work.
        tags = [f"{tag}\taiolint.txt\t/*{tag}*\n" for tag in ["aiolint.txt"]]
        (package / "doc/tags").write_text("".join(tags))
        config.write_text(f"{start}\nvim.diagnostic.config({{ virtual_text = true }})\n")

    def open_menu(self):
        if self.version == "0.10":
            self.ex("lua vim.lsp.buf.code_action()")
        else:
            self.terminal.type("gra")

    def more(self, session):
        wait = self.terminal.wait
        is_error = lambda row: row.startswith("E ") and "price.result()" in row
        wait("the sign of an error", lambda screen: any(map(is_error, screen.splitlines())))
        for keys, what, shown in [
            (["C-w", "d"], "the float names the rule", "[result-before-done]"),
            (["K"], "the hover tells where the task is made", "line 11: the task is made here"),
        ]:
            self.go_to("price.result")
            wait("no float", lambda screen: shown not in screen)
            self.terminal.press(*keys)
            wait(what, lambda screen: shown in screen)
            self.terminal.press("0")
        self.ex("checkhealth aiolint")
        healthy = lambda screen: "is attached to prices.py" in screen and "/bin/aiolint is aiolint " in screen
        wait("the health check", lambda screen: healthy(screen) and "ERROR" not in screen and "WARNING" not in screen)
        self.ex("q")
        self.ex("help aiolint")
        wait("the help", lambda screen: "Finds asyncio mistakes in Python" in screen)
        self.ex("q")
        say("the sign, the float, the hover, the health check and the help are there")

    def notice_death(self):
        screen = lambda screen: "Client aiolint quit with exit code" in " ".join(screen.split())
        self.terminal.wait("Neovim tells of the death", screen)
        self.terminal.press("Enter")
        super().notice_death()

    def restart_dead(self):
        self.ex("edit")

    def restart(self):
        if self.version == "newest":
            self.ex("lsp restart aiolint")
        else:
            self.ex("lua vim.lsp.stop_client(vim.lsp.get_clients({ name = 'aiolint' }))")
            self.ex("edit")
