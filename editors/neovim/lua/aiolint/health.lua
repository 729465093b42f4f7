-- `:checkhealth aiolint`.
local M = {}

--- The environment that the packages of a project are taken from; a configuration file may name another.
local function environment(root)
  for _, name in ipairs(root and { '.venv', 'venv', 'env' } or {}) do
    local path = vim.fs.joinpath(root, name)
    if vim.fn.isdirectory(path) == 1 then return path end
  end
  return vim.env.VIRTUAL_ENV or vim.env.CONDA_PREFIX
end

local function program(cmd)
  if type(cmd) ~= 'table' then
    vim.health.info('`cmd` is a function')
  elseif vim.fn.executable(cmd[1]) == 0 then
    vim.health.error(('`%s` cannot be executed'):format(cmd[1]), {
      'Install aiolint so that it is on PATH: `cargo install --path .` in its repository',
      'Or set `cmd` to its path: see `:help aiolint-settings`',
    })
  else
    local result = vim.system({ cmd[1], '--version' }, { text = true }):wait()
    local said = vim.trim(result.stdout .. result.stderr)
    if result.code == 0 then
      vim.health.ok(('%s is %s'):format(vim.fn.exepath(cmd[1]), said))
    else
      vim.health.error(('`%s --version` fails: %s'):format(cmd[1], said))
    end
  end
end

function M.check()
  local aiolint = require('aiolint')
  vim.health.start('aiolint: the program')
  local config = aiolint.config()
  if not config then
    vim.health.error('`lsp/aiolint.lua` is not on the runtime path', { 'See `:help aiolint-install`' })
    return
  end
  program(config.cmd)
  if not aiolint.is_enabled() then
    vim.health.warn('it is not enabled', {
      vim.lsp.enable and "Add `vim.lsp.enable('aiolint')` to your init.lua"
        or "Add `require('aiolint').setup()` to your init.lua",
    })
  end

  vim.health.start('aiolint: the clients')
  local clients = vim.lsp.get_clients({ name = 'aiolint' })
  if #clients == 0 then vim.health.info('no Python file is open, or the server does not run') end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_map(function(buffer)
      return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ':~:.')
    end, vim.tbl_keys(client.attached_buffers))
    vim.health.ok(('client %d is attached to %s'):format(client.id, table.concat(buffers, ', ')))
    vim.health.info('root: ' .. (client.config.root_dir or 'none, a single file'))
    vim.health.info('environment: ' .. (environment(client.config.root_dir) or 'none'))
  end
end

return M
