-- A job as it stands. ARGV[3] job. Returns false, or {job hash, run hash, lines running, lines running in all, position,
-- messages on the interactive queue, on the bulk queue, interactive runs that wait, mean ms a page, live slots, now}.
local key = job_key(ARGV[3])
local job = call('HGETALL', key)
if #job == 0 or tonumber(call('HGET', key, 'expires') or 'inf') <= NOW then return false end
local run = get(key, 'run')
local done, all = 0, 0
local status = get(run_key(run), 'status')
if status == 'running' then
  for _, row in ipairs(call('HVALS', run_key(run, 'state'))) do
    local state = cjson.decode(row)
    if state.s == 'running' then done, all = done + state.d, all + state.l end
  end
end
local position, before = 0, 0
if status == 'queued' then
  for _, queue in ipairs(QUEUES) do
    local rank = call('ZRANK', K('waiting:' .. queue), run)
    if rank then position = before + rank + 1 break end
    before = before + call('ZCARD', K('waiting:' .. queue))
  end
end
return {job, call('HGETALL', run_key(run)), done, all, position, call('ZCARD', K('conveyor:interactive')),
  call('ZCARD', K('conveyor:bulk')), call('ZCARD', K('waiting:interactive')), get(K('totals'), 'page_ms'), live_slots()}
