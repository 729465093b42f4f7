-- Neovim 0.11 and newer find this file on the runtime path; `vim.lsp.enable('aiolint')` starts it.
---@type vim.lsp.Config
return {
  cmd = { 'aiolint', 'server' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', '.git' },
}
