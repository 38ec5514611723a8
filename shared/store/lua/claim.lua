-- Give a page to a worker process.
-- ARGV[3] run, [4] page, [5] token, [6] the worker as JSON, [7] the problem of a page out of attempts.
-- Returns {claim as a list or false, messages}; claim: attempt blob kind options total.
local run, page, token, worker = ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[6])
unqueue(run, page)

local function nothing()
  dispatch()
  return {false, OUT}
end

if call('EXISTS', run_key(run)) == 0 or ended(get(run_key(run), 'status')) then return nothing() end
local state = page_state(run, page)
if not state then
  -- A message without its state: written in the last second before a power loss. Take the page out of turn.
  if not call('LPOS', run_key(run, 'todo'), page) then return nothing() end
  state = {s = 'queued', n = 0, t = '', w = '', d = 0, l = 0}
  set_page(run, page, state)
end
if state.s == 'done' or state.s == 'failed' then return nothing() end
local function given()
  local key = run_key(run)
  return {state.n, get(key, 'blob'), get(key, 'kind'), get(key, 'options'), num(key, 'total')}
end
if state.s == 'running' then
  -- The same call again, after a connection that broke before its answer came.
  if state.t == token then return {given(), OUT} end
  if tonumber(call('ZSCORE', K('leases'), run .. ' ' .. page) or 0) > NOW then return nothing() end
  end_attempt(run, page, 'lost')
end
if state.n >= L.max_attempts then
  fail(run, page, state, ARGV[7], '', 'failed')
  return nothing()
end
state.n, state.s, state.t, state.w, state.d, state.l = state.n + 1, 'running', token, worker.worker or '', 0, 0
set_page(run, page, state)
call('ZADD', K('leases'), ms(NOW + L.lease_s * 1000), run .. ' ' .. page)
worker.page, worker.attempt, worker.started_at = tonumber(page), state.n, NOW
worker.ended_at, worker.outcome = cjson.null, cjson.null
call('HSET', run_key(run, 'attempts'), page .. ':' .. string.format('%d', state.n), cjson.encode(worker))
if get(run_key(run), 'status') == 'queued' then
  call('HSET', run_key(run), 'status', 'running', 'started', ms(NOW))
  for _, queue in ipairs(QUEUES) do call('ZREM', K('waiting:' .. queue), run) end
end
changed(run)
dispatch()
return {given(), OUT}
