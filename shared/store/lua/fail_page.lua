-- A page could not be read.
-- ARGV[3] run, [4] page, [5] token, [6] problem as JSON, [7] compressed JSON or "", [8] "1" to try again.
-- Returns {1 or 0 if too late, messages}.
local run, page = ARGV[3], ARGV[4]
local state = holder(run, page, ARGV[5])
if not state or (state.s ~= 'running' and state.s ~= 'queued') then
  total('pages_late')
  return {0, {}}
end
if ARGV[8] == '1' and state.n < L.max_attempts then
  requeue(run, page, state, 'error')
else
  fail(run, page, state, ARGV[6], ARGV[7], 'failed')
end
dispatch()
return {1, OUT}
