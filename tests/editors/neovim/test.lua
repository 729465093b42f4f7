-- What a user does, by the keys that a user presses. Waits for conditions, never for time. Ends with code 1 and the reason on
-- stderr where one does not come.

local PATIENCE = 20000 -- ms; reached only by a failing test

local function say(...) io.stdout:write('ok ' .. string.format(...) .. '\n') end

local function fail(...)
  io.stderr:write('FAIL: ' .. string.format(...) .. '\n')
  vim.cmd('cquit 1')
end

local function await(what, condition)
  if not vim.wait(PATIENCE, condition, 10) then
    fail('%s: never; the diagnostics are %s', what, vim.inspect(vim.diagnostic.get(0)))
  end
  say('%s', what)
end

-- Through the typeahead, so that the edit reaches the server as typed text does.
local function press(keys) vim.api.nvim_feedkeys(vim.keycode(keys), 'xt', false) end

local function test()
  local buffer = vim.api.nvim_get_current_buf()
  local function line_of(pattern)
    for number, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
      if line:find(pattern, 1, true) then return number end
    end
  end
  -- Whether the one finding is there, and on the line of the mistake.
  local function found()
    local all = vim.diagnostic.get(buffer)
    return #all == 1
      and all[1].code == 'result-before-done'
      and all[1].severity == vim.diagnostic.severity.ERROR
      and all[1].lnum + 1 == line_of('price.result()')
  end
  local function silent() return #vim.diagnostic.get(buffer) == 0 end

  await('the server is attached', function() return #vim.lsp.get_clients({ bufnr = buffer, name = 'aiolint' }) == 1 end)
  local client = vim.lsp.get_clients({ bufnr = buffer, name = 'aiolint' })[1]
  await('the mistake is found', found)

  press('ggO# Prices of a shop 🛒, in €.<Esc>')
  await('the finding moves with its line', function() return line_of('price.result()') == 13 and found() end)

  press(('%dGO    await price<Esc>'):format(line_of('print(')))
  await('the finding goes when the wait is typed', silent)
  press('u')
  await('the finding is back after undo', found)

  vim.api.nvim_win_set_cursor(0, { line_of('price.result()'), 25 })
  local hover = client:request_sync('textDocument/hover', vim.lsp.util.make_position_params(0, client.offset_encoding), PATIENCE, buffer)
  if not vim.inspect(hover):find('Result is not set', 1, true) then fail('the hover is %s', vim.inspect(hover)) end
  say('the hover quotes the error')

  -- The menu, with the choice made for it: the first repair that awaits.
  local titles, chosen = {}, nil
  vim.ui.select = function(items, _, choose)
    for _, item in ipairs(items) do
      table.insert(titles, item.action.title)
      if not chosen and item.action.title:lower():find('await', 1, true) then chosen = item end
    end
    choose(chosen)
  end
  press('gra')
  await('the menu of repairs', function() return #titles > 0 end)
  if not chosen then fail('no repair awaits: %s', vim.inspect(titles)) end
  await(('the finding goes after “%s”'):format(chosen.action.title), silent)

  vim.cmd('silent write')
  client:stop()
  await('the server ends', function() return client:is_stopped() end)

  vim.cmd('checkhealth aiolint')
  local health = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  if not health:find('OK', 1, true) or health:find('ERROR', 1, true) then fail('the health check says %s', health) end
  say('the health check is content')
end

local ok, problem = xpcall(test, debug.traceback)
if not ok then fail('%s', problem) end
vim.cmd('qall!')
