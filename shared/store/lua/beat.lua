-- Renew a claim's lease and report its lines.
-- ARGV[3] run, [4] page, [5] token, [6] lines done, [7] lines in all. Returns 1, or 0 if the claim is void.
local run, page = ARGV[3], ARGV[4]
local state = holder(run, page, ARGV[5])
if not state or state.s ~= 'running' then return 0 end
call('ZADD', K('leases'), ms(NOW + L.lease_s * 1000), run .. ' ' .. page)
local done, all = tonumber(ARGV[6]), tonumber(ARGV[7])
if state.d ~= done or state.l ~= all then
  state.d, state.l = done, all
  set_page(run, page, state)
  changed(run)
end
return 1
