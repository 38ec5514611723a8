-- A job as it stands. ARGV[3] job.
-- Returns false, or {job hash, run hash, lines running, lines running in all, position, ms still needed or 0}.
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
local position = status == 'queued' and place_of(run) or 0
return {job, call('HGETALL', run_key(run)), done, all, position, ms(estimate(run, position))}
