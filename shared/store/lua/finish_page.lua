-- Hand a page's result in; a claim whose lease lapsed still counts while nobody else took the page.
-- ARGV[3] run, [4] page, [5] token, [6] compressed JSON, [7] lines, [8] ms it took, [9] fingerprint, [10] pixel key or "",
-- [11] preview or "", [12] "1" if copied from the pixel cache. Returns {1 or 0 if too late, messages}.
local run, page = ARGV[3], ARGV[4]
local before = page_state(run, page)
-- The same call again, after a connection that broke before its answer came.
if before and before.s == 'done' and before.t == ARGV[5] then return {1, {}} end
local state = holder(run, page, ARGV[5])
if not state or (state.s ~= 'running' and state.s ~= 'queued') then
  total('pages_late')
  return {0, {}}
end
local key = run_key(run)
state.s, state.d, state.l = 'done', 0, 0
set_page(run, page, state)
call('HINCRBY', key, 'done', 1)
call('HINCRBY', key, 'lines', ARGV[7])
call('HSET', run_key(run, 'result'), page, ARGV[6])
call('HINCRBY', key, 'bytes', #ARGV[6] + #ARGV[11])
if ARGV[11] ~= '' then call('HSET', run_key(run, 'preview'), page, ARGV[11]) end
local fingerprint = get(key, 'fingerprint')
if fingerprint ~= '' and fingerprint ~= ARGV[9] then call('HSET', key, 'mixed', 1) end
call('HSET', key, 'fingerprint', ARGV[9])
if ARGV[10] ~= '' and call('HSETNX', K('pkey'), ARGV[10], run .. ' ' .. page) == 1 then
  call('SADD', run_key(run, 'pkeys'), ARGV[10])
end
if ARGV[12] == '1' then
  call('HINCRBY', key, 'copied', 1)
  total('pages_cached')
else
  local mean, took = num(K('totals'), 'page_ms'), tonumber(ARGV[8])
  call('HSET', K('totals'), 'page_ms', tostring(mean == 0 and took or (1 - EWMA) * mean + EWMA * took))
  total('pages_read')
end
close_page(run, page, 'done')
dispatch()
return {1, OUT}
