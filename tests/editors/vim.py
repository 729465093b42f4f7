"""Vim with ALE."""

import shutil
import textwrap

from neovim import Vi
from session import EDITORS


class Vim(Vi):
    MISSING = "executable check - failure) aiolint"

    def set_up(self, home):
        packages = home / ".vim/pack/ale/start"
        packages.mkdir(parents=True)
        (packages / "ale").symlink_to(self.program.parent / "root/usr/share/vim-ale")
        shutil.copytree(EDITORS / "vim/ale_linters", home / ".vim/ale_linters")
        page = (EDITORS / "vim/README.md").read_text()
        (home / ".vimrc").write_text(textwrap.dedent(page.split("```vim\n")[1].split("```")[0]))

    def ask_what_is_missing(self):
        """ALE says nothing itself; its own report does, at the end."""
        self.ex("ALEInfo")
        self.terminal.wait("the report", lambda screen: "-- More --" in screen)
        self.terminal.type("G")

    def open_menu(self):
        self.ex("ALECodeAction")

    def shows(self, screen, finding):
        """At the end of its line; the last row may keep one that is gone."""
        return finding in screen.rstrip("\n").rsplit("\n", 1)[0]

    def notice_death(self):
        """Nothing tells of it."""

    def restart_dead(self):
        self.ex("ALELint")

    def restart(self):
        self.ex("ALEStopAllLSPs")
        self.ex("ALELint")
