-- A worker process died in a page: end its attempt now instead of when the lease does.
-- ARGV[3] run, [4] page, [5] beginning of the worker's name, [6] outcome, [7] problem that fails the page or "",
-- [8] problem of a page out of attempts. Returns messages.
local run, page = ARGV[3], ARGV[4]
local state = page_state(run, page)
if not state or state.s ~= 'running' or string.sub(state.w, 1, #ARGV[5]) ~= ARGV[5] then return {} end
lost(run, page, state, ARGV[6], ARGV[7], ARGV[8])
dispatch()
return OUT
