-- Starts nothing: that is for `vim.lsp.enable('aiolint')` or `require('aiolint').setup()`. Tells where it cannot be started.
vim.api.nvim_create_autocmd('FileType', {
  group = vim.api.nvim_create_augroup('aiolint', {}),
  pattern = 'python',
  callback = function()
    local aiolint = require('aiolint')
    if aiolint.is_enabled() then aiolint.can_start() end
  end,
})
