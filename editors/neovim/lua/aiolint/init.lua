local M = {}

--- The options of |aiolint.setup()| where Neovim keeps none itself.
local given = {}

--- What the server is started with; `nil` where `lsp/aiolint.lua` is not on the runtime path.
function M.config()
  if vim.lsp.config then return vim.lsp.config.aiolint end
  local file = vim.api.nvim_get_runtime_file('lsp/aiolint.lua', false)[1]
  return file and vim.tbl_deep_extend('force', dofile(file), given)
end

--- Whether Neovim starts the server where it meets Python; before 0.11 that is what `setup()` is for.
function M.is_enabled()
  if vim.lsp.is_enabled then return vim.lsp.is_enabled('aiolint') end
  return vim.fn.exists('#aiolint.start#FileType') == 1
end

--- Whether the program is there; where it is not, says so once: Neovim itself only writes it into a log, if that.
function M.can_start()
  local config = M.config()
  local program = config and type(config.cmd) == 'table' and config.cmd[1]
  if not program or vim.fn.executable(program) == 1 then return true end
  local message = 'aiolint: `%s` cannot be executed. Install it, or set `cmd` to its path. See `:checkhealth aiolint`.'
  vim.notify_once(message:format(program), vim.log.levels.WARN)
  return false
end

--- Starts the server for Python, in any Neovim from 0.10 on.
---@param options? table what `vim.lsp.config()` takes
function M.setup(options)
  if vim.lsp.enable then
    vim.lsp.config('aiolint', options or {})
    vim.lsp.enable('aiolint')
    return
  end
  given = options or {}
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('aiolint.start', {}),
    pattern = M.config().filetypes,
    callback = function(event)
      if not M.can_start() then return end
      local config = M.config()
      config.name, config.root_dir = 'aiolint', vim.fs.root(event.buf, config.root_markers)
      vim.lsp.start(config, { bufnr = event.buf })
    end,
  })
end

return M
