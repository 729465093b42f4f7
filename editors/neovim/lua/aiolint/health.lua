-- `:checkhealth aiolint`. Neovim says nothing where a server's program is missing; this does.
local M = {}

function M.check()
  vim.health.start('aiolint')
  local config = vim.lsp.config and vim.lsp.config.aiolint
  if not config then
    vim.health.error('`lsp/aiolint.lua` is not on the runtime path, or this is not Neovim 0.11 or newer')
    return
  end
  local program = config.cmd[1]
  if vim.fn.executable(program) == 0 then
    vim.health.error(('`%s` cannot be executed'):format(program), { 'Install aiolint, or set `cmd` to its path' })
    return
  end
  vim.health.ok(('%s is %s'):format(vim.fn.exepath(program), vim.trim(vim.fn.system({ program, '--version' }))))
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('aiolint') then
    vim.health.warn("it is not enabled", { "Add `vim.lsp.enable('aiolint')` to your init.lua" })
  end
end

return M
